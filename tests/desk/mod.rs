//! The panels on a bare egui context, for the tests of them.
#![allow(dead_code, clippy::unwrap_used)] // not every test needs all of it

use bevy_egui::egui::{self, Event, Key, Modifiers, PointerButton, Pos2, RawInput, Rect, Shape};
use gradscape::app::ui::{self, Intent, Panels, Stage, control_id};
use gradscape::app::{
    Arena, Blocks, Choices, ErrorSurface, Rivals, Selection, Texts, Training, Watching,
    font_definitions,
};
use gradscape::experiment::Experiment;
use gradscape::train::{Problem, TrainCommand};
use std::sync::Arc;

pub fn problem(text: &str) -> Arc<Problem> {
    let experiment = Experiment::parse(text, "test").unwrap();
    Arc::new(Problem::new(&experiment).unwrap())
}

pub const SPIRAL: &str = "[data]\nsource = \"spiral\"\nnoise = 0.1\nvalidation = 0.3\n[network]\nlayers = [ { dense = 4 }, { dense = 3 } ]\nloss = \"cross-entropy\"\n[training]\nepochs = 20\n";

/// The panels on a bare egui context, a frame at a time.
pub struct Desk {
    pub ctx: egui::Context,
    pub size: egui::Vec2,
    pub time: f64,
    pub training: Training,
    pub panels: Panels,
    pub choices: Choices,
    pub selection: Selection,
    pub shapes: Vec<egui::epaint::ClippedShape>,
    pub free: Rect,
    pub arena: Arena,
    pub rivals: Rivals,
    pub watching: Watching,
    pub surface: ErrorSurface,
    pub pinned: bool,
    pub blocks: Blocks,
    pub opening: Option<(String, &'static str, f32)>,
}

impl Desk {
    pub fn new(text: &str, size: [f32; 2], choices: Choices) -> Self {
        let problem = problem(text);
        let ctx = egui::Context::default();
        ctx.set_fonts(font_definitions());
        choices.theme.dress(&ctx);
        Desk {
            ctx,
            size: size.into(),
            time: 0.0,
            panels: Panels::new(&problem),
            training: Training::at_start(problem),
            choices,
            selection: Selection::default(),
            shapes: Vec::new(),
            free: Rect::NOTHING,
            arena: Arena::default(),
            surface: ErrorSurface::default(),
            rivals: Rivals::default(),
            watching: Watching::default(),
            pinned: false,
            blocks: Blocks::default(),
            opening: None,
        }
    }

    /// One frame with these events; what the panels asked for.
    pub fn frame(&mut self, events: Vec<Event>) -> Vec<Intent> {
        self.time += 0.1;
        let mut intents = Vec::new();
        let texts = Texts::new(self.choices.language);
        let input = RawInput {
            screen_rect: Some(Rect::from_min_size(Pos2::ZERO, self.size)),
            time: Some(self.time),
            events,
            ..RawInput::default()
        };
        let mut free = Rect::NOTHING;
        let (training, panels) = (&self.training, &mut self.panels);
        let (surface, arena, pinned) = (&self.surface, &self.arena, self.pinned);
        let (rivals, watching) = (&self.rivals, &self.watching);
        let (blocks, opening) = (&mut self.blocks, &self.opening);
        let (choices, selection) = (&mut self.choices, &mut self.selection);
        let output = self.ctx.run_ui(input, |root| {
            let mut stage = Stage {
                texts: &texts,
                palette: choices.theme.palette(),
                theme: choices.theme,
                training,
                surface,
                arena,
                chain: None,
                rivals,
                watching,
                pinned,
                loading: false,
                opening: opening.clone(),
                blocks,
                choices,
                selection,
                intents: &mut intents,
            };
            free = ui::show(root, panels, &mut stage);
        });
        self.shapes.clone_from(&output.shapes);
        output.drop_without_applying_deltas();
        self.free = free;
        intents
    }

    pub fn frames(&mut self, n: usize) -> Vec<Intent> {
        (0..n).flat_map(|_| self.frame(Vec::new())).collect()
    }

    pub fn click(&mut self, name: &str) -> Vec<Intent> {
        let at = self
            .ctx
            .read_response(control_id(name))
            .unwrap_or_else(|| panic!("no {name} on the screen"))
            .rect
            .center();
        self.click_at(at)
    }

    pub fn click_at(&mut self, pos: Pos2) -> Vec<Intent> {
        let button = |pressed| Event::PointerButton {
            pos,
            button: PointerButton::Primary,
            pressed,
            modifiers: Modifiers::NONE,
        };
        let mut intents = self.frame(vec![Event::PointerMoved(pos)]);
        intents.extend(self.frame(vec![button(true)]));
        intents.extend(self.frame(vec![button(false)]));
        intents
    }

    pub fn press(&mut self, key: Key) -> Vec<Intent> {
        self.frame(vec![Event::Key {
            key,
            physical_key: None,
            pressed: true,
            repeat: false,
            modifiers: Modifiers::NONE,
        }])
    }

    /// Every piece of text on the screen with its rectangle and what it is clipped to.
    pub fn texts(&self) -> Vec<(String, Rect, Rect, bool)> {
        let mut found = Vec::new();
        for clipped in &self.shapes {
            collect(&clipped.shape, clipped.clip_rect, &mut found);
        }
        found
    }
}

fn collect(shape: &Shape, clip: Rect, found: &mut Vec<(String, Rect, Rect, bool)>) {
    match shape {
        Shape::Vec(shapes) => shapes.iter().for_each(|s| collect(s, clip, found)),
        Shape::Text(text) => found.push((
            text.galley.text().to_owned(),
            text.galley.rect.translate(text.pos.to_vec2()),
            clip,
            text.galley.elided,
        )),
        _ => {}
    }
}

pub fn train_commands(intents: &[Intent]) -> Vec<&TrainCommand> {
    intents
        .iter()
        .filter_map(|i| match i {
            Intent::Train(command) => Some(command),
            _ => None,
        })
        .collect()
}

pub fn loaded(intents: &[Intent]) -> Option<&Experiment> {
    intents.iter().rev().find_map(|i| match i {
        Intent::Load { experiment, .. } => Some(&**experiment),
        _ => None,
    })
}

impl Desk {
    /// Where this text stands on the screen.
    pub fn place(&self, text: &str) -> Rect {
        self.find(text)
            .unwrap_or_else(|| panic!("{text:?} is not on the screen"))
    }

    /// The same, if it does.
    pub fn find(&self, text: &str) -> Option<Rect> {
        let mut texts = self.texts().into_iter();
        texts.find(|(t, ..)| t == text).map(|(_, rect, ..)| rect)
    }

    /// Clicks the last text on the screen that begins with this: menus lie on top.
    pub fn click_beginning(&mut self, text: &str) -> Vec<Intent> {
        let texts = self.texts();
        let found = texts.iter().rev().find(|(t, ..)| t.starts_with(text));
        let at = found
            .unwrap_or_else(|| panic!("nothing begins with {text}"))
            .1
            .center();
        self.click_at(at)
    }

    /// Whether some text contains this.
    pub fn says(&self, text: &str) -> bool {
        self.texts().iter().any(|(t, ..)| t.contains(text))
    }

    /// Clicks the control to the right of a name in the left panel.
    pub fn click_beside(&mut self, label: &str) -> Vec<Intent> {
        let at = self.place(label);
        // A row gives its name 38 % of the panel's inner width.
        self.click_at(Pos2::new(125.0, at.center().y))
    }

    /// Types a value into the number beside a name.
    pub fn enter(&mut self, label: &str, value: &str) -> Vec<Intent> {
        let mut intents = self.click_beside(label);
        intents.extend(self.frame(vec![Event::Text(value.to_owned())]));
        intents.extend(self.press(Key::Enter));
        intents
    }

    /// Chooses from the menu beside a name.
    pub fn pick(&mut self, label: &str, option: &str) -> Vec<Intent> {
        let mut intents = self.click_beside(label);
        intents.extend(self.frames(2));
        if self.find(option).is_none() {
            // A long menu scrolls.
            let at = Pos2::new(125.0, self.place(label).bottom() + 60.0);
            intents.extend(self.frame(vec![Event::PointerMoved(at)]));
            intents.extend(self.frame(vec![Event::MouseWheel {
                unit: egui::MouseWheelUnit::Point,
                delta: egui::vec2(0.0, -900.0),
                phase: egui::TouchPhase::Move,
                modifiers: Modifiers::NONE,
            }]));
            intents.extend(self.frames(20));
        }
        // The last is the menu's, which is drawn over everything else.
        let found = self.texts().into_iter().rev();
        let at = found
            .filter(|(t, ..)| t == option)
            .map(|(_, rect, ..)| rect)
            .next()
            .unwrap_or_else(|| panic!("{option:?} is not in the menu"));
        intents.extend(self.click_at(at.center()));
        intents
    }
}

impl Desk {
    /// Whether this text is on the screen, all of it.
    pub fn says_whole(&self, text: &str) -> bool {
        let screen = Rect::from_min_size(Pos2::ZERO, self.size);
        self.texts().iter().any(|(t, rect, clip, elided)| {
            let inside = clip.intersect(screen).expand(1.0).contains_rect(*rect);
            t == text && !elided && inside
        })
    }
}
