//! A model's folder that is not as it should be: the error names the file, and the tensor.

use std::{fs, path::Path};

use crate::harness::demo;
use transcriber::{
    hub,
    model::{Loading, Model, device::Device, folder::sha256},
    runtime::Runtime,
};

fn load(folder: &Path) -> Result<Model, transcriber::Error> {
    Model::load(
        Runtime::load(None).unwrap(),
        Loading { folder, precision: "quantized", threads: 1, device: Device::Cpu },
    )
}

pub(super) fn copy(to: &Path) {
    fs::create_dir_all(to.join("onnx")).unwrap();
    for name in ["config.json", "generation_config.json", "preprocessor_config.json", "tokenizer.json"] {
        fs::copy(demo().join(name), to.join(name)).unwrap();
    }
    for name in ["onnx/encoder_model_quantized.onnx", "onnx/decoder_model_merged_quantized.onnx"] {
        fs::copy(demo().join(name), to.join(name)).unwrap();
    }
}

#[test]
fn a_models_fault_is_named() {
    let check = |change: &dyn Fn(&Path), parts: &[&str]| {
        let folder = tempfile::tempdir().unwrap();
        copy(folder.path());
        change(folder.path());
        let refusal = load(folder.path()).unwrap_err().to_string();
        for part in parts {
            assert!(refusal.contains(part), "{refusal} does not name {part}");
        }
    };
    let swap = |name: &'static str, from: &'static str, to: &'static str| {
        move |folder: &Path| {
            let text = fs::read_to_string(folder.join(name)).unwrap();
            assert!(text.contains(from));
            fs::write(folder.join(name), text.replace(from, to)).unwrap();
        }
    };
    check(&|folder| fs::remove_file(folder.join("tokenizer.json")).unwrap(), &["tokenizer.json", "missing"]);
    check(
        &|folder| fs::remove_file(folder.join("onnx/encoder_model_quantized.onnx")).unwrap(),
        &["onnx/encoder_model_quantized.onnx", "missing", "\"quantized\""],
    );
    check(
        &|folder| {
            let file = folder.join("onnx/decoder_model_merged_quantized.onnx");
            let bytes = fs::read(&file).unwrap();
            fs::write(&file, &bytes[..bytes.len() / 2]).unwrap();
        },
        &["decoder_model_merged_quantized.onnx", "not an ONNX network"],
    );
    check(&|folder| fs::write(folder.join("tokenizer.json"), "{").unwrap(), &["tokenizer.json"]);
    check(&swap("config.json", "\"whisper\"", "\"llama\""), &["config.json", "`llama`"]);
    check(
        &swap("config.json", "\"num_mel_bins\": 80", "\"num_mel_bins\": 128"),
        &["preprocessor_config.json", "128"],
    );
    check(
        &swap("config.json", "\"vocab_size\": 2808", "\"vocab_size\": 51865"),
        &["decoder_model_merged", "`logits`", "2808", "51865"],
    );
    check(
        &swap("config.json", "\"decoder_layers\": 2", "\"decoder_layers\": 4"),
        &["decoder", "past_key_values.2."],
    );
    check(
        &swap("generation_config.json", "\"alignment_heads\": [", "\"alignment_heads\": [[1, 4],"),
        &["generation_config.json", "alignment_heads", "of 2 layers with 4"],
    );
    check(&|folder| fs::remove_dir_all(folder.join("onnx")).unwrap(), &["onnx", "missing"]);
    let nowhere = load(Path::new("/nowhere")).unwrap_err().to_string();
    assert!(nowhere.contains("/nowhere") && nowhere.contains("clipcut model pull"), "{nowhere}");
}

#[test]
fn a_pulled_model_is_checked_against_its_lock_each_time() {
    let folder = tempfile::tempdir().unwrap();
    copy(folder.path());
    let file = folder.path().join("tokenizer.json");
    let lock = hub::Lock {
        repository: "a/b".into(),
        revision: "abc".into(),
        licence: None,
        files: [("tokenizer.json".to_owned(), sha256(&file).unwrap())].into(),
    };
    fs::write(folder.path().join(hub::LOCK), serde_json::to_string(&lock).unwrap()).unwrap();
    assert_eq!(load(folder.path()).unwrap().revision.as_deref(), Some("abc"));
    let text = fs::read_to_string(&file).unwrap();
    fs::write(&file, text + "\n").unwrap();
    let refusal = load(folder.path()).unwrap_err().to_string();
    assert!(refusal.contains("tokenizer.json") && refusal.contains("SHA-256"), "{refusal}");
}
