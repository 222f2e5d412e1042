use super::*;

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct File {
    layers: Vec<LayerConfig>,
}

fn read(text: &str) -> Result<Vec<LayerSpec>, String> {
    let file: File = toml::from_str(&format!("layers = [{text}]")).map_err(|e| e.to_string())?;
    let again: File = toml::from_str(&toml::to_string(&file).unwrap()).unwrap();
    assert_eq!(again, file);
    specs(&file.layers).map_err(|e| e.to_string())
}

#[test]
fn every_kind_reads() {
    let specs = read(
        r#"{ conv = 6, kernel = [3, 5], stride = 2, padding = [1, 0], activation = "relu", name = "c" },
           "batch_norm", { kind = "batch_norm", momentum = 0.2 }, { max_pool = 2 },
           { avg_pool = [2, 1], stride = 1, count_padding = false }, "prelu",
           { dropout = 0.5 }, "flatten", { dense = 8 }, "layer_norm",
           { dense = 8, name = "d" }, { dense = 8 }, { add = "d" },
           { add = ["d", "c"], activation = "relu" }, "global_avg_pool""#,
    )
    .unwrap();
    let LayerKind::Conv(conv) = specs[0].kind else {
        panic!()
    };
    assert_eq!(
        (conv.kernel, conv.stride, conv.padding),
        ([3, 5], [2, 2], [1, 0])
    );
    assert_eq!(specs[0].activation, Activation::Relu);
    assert_eq!(specs[8].activation, Activation::Tanh);
    assert_eq!(specs[7].activation, Activation::Linear);
    assert_eq!(specs[12].sources, [Source::Layer(11), Source::Layer(10)]);
    assert_eq!(
        specs[13].sources,
        [Source::Layer(12), Source::Layer(10), Source::Layer(0)]
    );
}

#[test]
fn errors_name_the_key_and_what_is_allowed() {
    for (text, parts) in [
        (
            "{ dense = 0 }",
            vec!["network.layers[0].dense", "1 to 100000"],
        ),
        ("{ }", vec!["network.layers[0]:", "conv"]),
        (
            "{ dense = 3, conv = 2, kernel = 1 }",
            vec!["layers[0].conv", "dense already"],
        ),
        ("{ conv = 3 }", vec!["layers[0].conv", "kernel = 3"]),
        (
            "{ dense = 3, stride = 2 }",
            vec!["layers[0].stride", "max_pool"],
        ),
        (
            "{ dropout = 1.0 }",
            vec!["layers[0].dropout", "not including, 1"],
        ),
        (
            "{ dense = 3 }, { add = \"x\" }",
            vec!["layers[1].add", "\"x\"", "no earlier"],
        ),
        (
            "{ dense = 3, name = \"a\" }, { dense = 3, name = \"a\" }",
            vec!["layers[1].name", "taken"],
        ),
        ("\"flaten\"", vec!["flaten", "`flatten`", "`layer_norm`"]),
        ("{ dense = 3, unit = 2 }", vec!["unit", "`dense`"]),
        (
            "{ kind = \"batch_norm\", momentum = 2.0 }",
            vec!["momentum", "0 to 1"],
        ),
    ] {
        let error = read(text).unwrap_err();
        for part in parts {
            assert!(error.contains(part), "{text}: no {part:?} in {error}");
        }
    }
}
