//! The demo model, which is part of the program: so that the demo video gets captions, and
//! `clipcut doctor` can transcribe, on every machine. It knows some 300 words, and nobody's own sound comes to it.

use std::fs;

use crate::{Config, Engine, Result};

/// Its name, by which the demo video's captions ask for it.
pub use captions::DEMO_MODEL as NAME;

const FILES: [(&str, &[u8]); 6] = [
    ("config.json", include_bytes!("../demo/config.json")),
    ("generation_config.json", include_bytes!("../demo/generation_config.json")),
    ("preprocessor_config.json", include_bytes!("../demo/preprocessor_config.json")),
    ("tokenizer.json", include_bytes!("../demo/tokenizer.json")),
    ("onnx/encoder_model_quantized.onnx", include_bytes!("../demo/onnx/encoder_model_quantized.onnx")),
    (
        "onnx/decoder_model_merged_quantized.onnx",
        include_bytes!("../demo/onnx/decoder_model_merged_quantized.onnx"),
    ),
];

/// Returns an engine that has it loaded, and is else as in `config`. Blocks.
pub fn engine(config: &Config) -> Result<Engine> {
    // A model is read from a folder, and then no more.
    let folder = tempfile::tempdir()?;
    let model = folder.path().join(NAME);
    fs::create_dir_all(model.join("onnx"))?;
    for (name, bytes) in FILES {
        fs::write(model.join(name), bytes)?;
    }
    let engine = Engine::new(Config { model, precision: "quantized".into(), ..config.clone() });
    engine.load()?;
    Ok(engine)
}
