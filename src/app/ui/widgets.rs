//! The few building blocks that all panels share.

use super::icons::Icon;
use crate::app::theme::{Palette, color32};
use bevy_egui::egui::{self, Align, Color32, Id, Layout, Response, RichText, Sense, Ui, vec2};

/// Height of a line of controls.
pub const LINE: f32 = 26.0;

/// The id of a control that keys, tests and tours have to find again.
pub fn control_id(name: &str) -> Id {
    Id::new(("gradscape control", name))
}

/// A square button with an icon. `name` makes its id (see [`control_id`]).
pub fn icon_button(ui: &mut Ui, name: &str, icon: Icon, tip: &str, enabled: bool) -> Response {
    icon_button_sized(
        ui,
        name,
        icon,
        tip,
        enabled,
        false,
        vec2(LINE + 4.0, LINE + 2.0),
    )
}

/// The same in a given size; `lit` stands out.
pub fn icon_button_sized(
    ui: &mut Ui,
    name: &str,
    icon: Icon,
    tip: &str,
    enabled: bool,
    lit: bool,
    size: egui::Vec2,
) -> Response {
    let (rect, _) = ui.allocate_exact_size(size, Sense::hover());
    let sense = if enabled {
        Sense::click()
    } else {
        Sense::hover()
    };
    let response = ui.interact(rect, control_id(name), sense);
    response.widget_info(|| egui::WidgetInfo::labeled(egui::WidgetType::Button, enabled, tip));
    let visuals = ui.visuals();
    let style = visuals.widgets.style(&response);
    let (fill, ink) = if !enabled {
        (
            Color32::TRANSPARENT,
            visuals.text_color().gamma_multiply(0.3),
        )
    } else if lit {
        (visuals.hyperlink_color, visuals.panel_fill)
    } else {
        (style.weak_bg_fill, style.fg_stroke.color)
    };
    let painter = ui.painter();
    painter.rect_filled(rect, style.corner_radius, fill);
    if enabled && (response.hovered() || response.has_focus()) {
        painter.rect_stroke(
            rect,
            style.corner_radius,
            style.bg_stroke,
            egui::StrokeKind::Inside,
        );
    }
    icon.paint(painter, rect, size.y.min(size.x) * 0.5, ink);
    response.on_hover_text(tip)
}

/// A button without ground, for small things inside a line.
pub fn small_icon(ui: &mut Ui, name: &str, icon: Icon, tip: &str, enabled: bool) -> Response {
    icon_button_sized(ui, name, icon, tip, enabled, false, vec2(24.0, 24.0))
}

/// One of several, side by side in one frame. Returns whether it changed.
pub fn segmented<T: PartialEq + Copy>(
    ui: &mut Ui,
    name: &str,
    value: &mut T,
    options: &[(T, Option<Icon>, &str)],
) -> bool {
    let mut changed = false;
    let ground = ui.visuals().extreme_bg_color;
    let radius = ui.visuals().widgets.inactive.corner_radius;
    egui::Frame::new()
        .fill(ground)
        .corner_radius(radius)
        .inner_margin(2)
        .show(ui, |ui| {
            ui.spacing_mut().item_spacing.x = 2.0;
            ui.horizontal(|ui| {
                for (k, (option, icon, text)) in options.iter().enumerate() {
                    let chosen = *option == *value;
                    let response = segment(ui, &format!("{name} {k}"), *icon, text, chosen);
                    if response.clicked() && !chosen {
                        *value = *option;
                        changed = true;
                    }
                }
            });
        });
    changed
}

/// The same without a ground, in the layout of `ui`: one that wraps takes as many rows as
/// they need.
pub fn segments<T: PartialEq + Copy>(
    ui: &mut Ui,
    name: &str,
    value: &mut T,
    options: &[(T, Option<Icon>, &str)],
) {
    for (k, (option, icon, text)) in options.iter().enumerate() {
        let chosen = *option == *value;
        let response = segment(ui, &format!("{name} {k}"), *icon, text, chosen);
        if response.clicked() {
            *value = *option;
        }
    }
}

fn segment(ui: &mut Ui, name: &str, icon: Option<Icon>, text: &str, chosen: bool) -> Response {
    let font = egui::TextStyle::Button.resolve(ui.style());
    let galley = ui
        .painter()
        .layout_no_wrap(text.to_owned(), font, Color32::PLACEHOLDER);
    let pad = 8.0;
    let mark = match icon {
        Some(_) if text.is_empty() => 12.0,
        Some(_) => 20.0,
        None => 0.0,
    };
    let size = vec2(galley.size().x + 2.0 * pad + mark, LINE - 2.0);
    let (rect, _) = ui.allocate_exact_size(size, Sense::hover());
    let response = ui.interact(rect, control_id(name), Sense::click());
    response.widget_info(|| {
        egui::WidgetInfo::selected(egui::WidgetType::RadioButton, true, chosen, text)
    });
    let visuals = ui.visuals();
    let fill = if chosen {
        visuals.selection.bg_fill
    } else if response.hovered() {
        visuals.widgets.inactive.weak_bg_fill
    } else {
        Color32::TRANSPARENT
    };
    let ink = if chosen || response.hovered() {
        visuals.text_color()
    } else {
        visuals.weak_text_color()
    };
    let painter = ui.painter();
    painter.rect_filled(rect, 5.0, fill);
    if let Some(icon) = icon {
        let at = egui::Rect::from_center_size(
            rect.left_center() + vec2(pad + 6.0, 0.0),
            vec2(14.0, 14.0),
        );
        icon.paint(painter, at, 13.0, ink);
    }
    let at = rect.left_center() + vec2(pad + mark, -galley.size().y / 2.0);
    painter.galley_with_override_text_color(at, galley, ink);
    response
}

/// A part of a panel that can be folded away.
pub fn section<R>(
    ui: &mut Ui,
    name: &str,
    title: &str,
    open: bool,
    add: impl FnOnce(&mut Ui) -> R,
) -> Option<R> {
    let id = control_id(name);
    let mut state =
        egui::collapsing_header::CollapsingState::load_with_default_open(ui.ctx(), id, open);
    ui.add_space(2.0);
    let (rect, _) = ui.allocate_exact_size(vec2(ui.available_width(), LINE), Sense::hover());
    let header = ui.interact(rect, id.with("header"), Sense::click());
    if header.clicked() {
        state.toggle(ui);
    }
    header
        .widget_info(|| egui::WidgetInfo::labeled(egui::WidgetType::CollapsingHeader, true, title));
    let openness = state.openness(ui.ctx());
    let visuals = ui.visuals();
    let ink = if header.hovered() {
        visuals.text_color()
    } else {
        visuals.text_color().gamma_multiply(0.92)
    };
    let center = rect.left_center() + vec2(6.0, 0.0);
    let turn = egui::emath::Rot2::from_angle(openness * std::f32::consts::FRAC_PI_2);
    let chevron = [vec2(-2.0, -4.0), vec2(2.5, 0.0), vec2(-2.0, 4.0)].map(|v| center + turn * v);
    let stroke = egui::Stroke::new(1.6, visuals.weak_text_color());
    ui.painter()
        .add(egui::Shape::line(chevron.to_vec(), stroke));
    let font = egui::FontId::proportional(15.5);
    ui.painter().text(
        rect.left_center() + vec2(18.0, 0.0),
        egui::Align2::LEFT_CENTER,
        title,
        font,
        ink,
    );
    let body = state.show_body_unindented(ui, |ui| {
        ui.add_space(2.0);
        let result = add(ui);
        ui.add_space(6.0);
        result
    });
    state.store(ui.ctx());
    let line = ui.visuals().widgets.noninteractive.bg_stroke;
    let (rect, _) = ui.allocate_exact_size(vec2(ui.available_width(), 1.0), Sense::hover());
    ui.painter().hline(rect.x_range(), rect.center().y, line);
    body.map(|b| b.inner)
}

/// Controls that most people do not need, closed at first, under a small title.
pub fn fold(ui: &mut Ui, name: &str, title: &str, add: impl FnOnce(&mut Ui)) {
    let id = control_id(name);
    let mut state =
        egui::collapsing_header::CollapsingState::load_with_default_open(ui.ctx(), id, false);
    let size = vec2(ui.available_width(), LINE - 2.0);
    let (rect, _) = ui.allocate_exact_size(size, Sense::hover());
    let header = ui.interact(rect, id, Sense::click());
    if header.clicked() {
        state.toggle(ui);
    }
    header
        .widget_info(|| egui::WidgetInfo::labeled(egui::WidgetType::CollapsingHeader, true, title));
    let turn = state.openness(ui.ctx()) * std::f32::consts::FRAC_PI_2;
    let turn = egui::emath::Rot2::from_angle(turn);
    let visuals = ui.visuals();
    let ink = if header.hovered() {
        visuals.text_color()
    } else {
        visuals.weak_text_color()
    };
    let center = rect.left_center() + vec2(5.0, 0.0);
    let chevron = [vec2(-2.0, -3.5), vec2(2.0, 0.0), vec2(-2.0, 3.5)].map(|v| center + turn * v);
    ui.painter().add(egui::Shape::line(
        chevron.to_vec(),
        egui::Stroke::new(1.5, ink),
    ));
    ui.painter().text(
        rect.left_center() + vec2(15.0, 0.0),
        egui::Align2::LEFT_CENTER,
        title,
        egui::FontId::proportional(13.5),
        ink,
    );
    state.show_body_unindented(ui, add);
    state.store(ui.ctx());
}

/// A line with a name on the left and a control that fills the rest.
pub fn row<R>(ui: &mut Ui, label: &str, add: impl FnOnce(&mut Ui) -> R) -> R {
    ui.horizontal(|ui| {
        let width = (ui.available_width() * 0.38).floor();
        ui.allocate_ui_with_layout(
            vec2(width, LINE),
            Layout::left_to_right(Align::Center),
            |ui| {
                ui.set_min_width(width);
                ui.add(egui::Label::new(RichText::new(label).size(13.5).weak()).wrap());
            },
        );
        add(ui)
    })
    .inner
}

/// A menu of values that fills the width left.
pub fn choose<T: PartialEq + Copy>(
    ui: &mut Ui,
    name: &str,
    value: &mut T,
    options: &[T],
    title: impl Fn(T) -> String,
) -> bool {
    let mut changed = false;
    ui.spacing_mut().button_padding.x = 7.0;
    egui::ComboBox::from_id_salt(control_id(name))
        .width(ui.available_width())
        .truncate()
        .selected_text(RichText::new(title(*value)).size(13.5))
        .show_ui(ui, |ui| {
            for &option in options {
                let chosen = option == *value;
                if ui.selectable_label(chosen, title(option)).clicked() && !chosen {
                    *value = option;
                    changed = true;
                }
            }
        });
    changed
}

/// A slider that fills the width left, its value at the right.
pub fn slide(ui: &mut Ui, slider: egui::Slider<'_>) -> Response {
    let value = 62.0;
    ui.spacing_mut().slider_width =
        (ui.available_width() - value - ui.spacing().item_spacing.x).max(24.0);
    ui.spacing_mut().interact_size.x = value;
    ui.add(slider)
}

/// A name on the left and what it is on the right.
pub fn fact(ui: &mut Ui, label: &str, value: &str) {
    ui.horizontal(|ui| {
        ui.label(RichText::new(label).weak());
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            ui.add(egui::Label::new(value).truncate());
        });
    });
}

/// A small remark under a control.
pub fn remark(ui: &mut Ui, text: &str) {
    ui.add(egui::Label::new(RichText::new(text).small().weak()).wrap());
}

/// What is wrong with the controls above.
pub fn complaint(ui: &mut Ui, palette: &Palette, text: &str) {
    let text = RichText::new(text).small().color(color32(palette.warning));
    ui.add(egui::Label::new(text).wrap());
}

/// A box of fixed size for one group of a bar; bars wrap between groups only.
pub fn group<R>(ui: &mut Ui, size: egui::Vec2, add: impl FnOnce(&mut Ui) -> R) -> R {
    ui.allocate_ui_with_layout(size, Layout::left_to_right(Align::Center), |ui| {
        ui.set_min_size(size);
        add(ui)
    })
    .inner
}

/// The same with a caption over it.
pub fn captioned<R>(
    ui: &mut Ui,
    size: egui::Vec2,
    caption: &str,
    add: impl FnOnce(&mut Ui) -> R,
) -> R {
    ui.allocate_ui_with_layout(size, Layout::top_down(Align::Min), |ui| {
        ui.set_min_size(size);
        ui.spacing_mut().item_spacing.y = 1.0;
        ui.add(egui::Label::new(RichText::new(caption).small().weak()).truncate());
        ui.horizontal(|ui| add(ui)).inner
    })
    .inner
}
