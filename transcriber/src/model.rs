//! A Whisper model in memory: its files read and checked, its networks in ONNX Runtime. Leaves decoding to `decode`.

use std::path::Path;

use ort::{
    session::{Session, builder::SessionBuilder},
    value::{Outlet, TensorElementType, ValueType},
};
use serde::Deserialize;

use crate::{Error, Result, runtime::Runtime, tokens::Vocabulary};

mod blocks;
pub mod device;
pub mod folder;
pub(crate) mod generation;
mod lm_head;
mod onnx;
pub mod optimized;
pub mod processor;
mod session;

use device::{Accelerator, Device};
use folder::{Folder, Hashes};
use generation::Generation;
use optimized::{Network, Part};

/// A model, ready to work.
#[derive(Debug)]
pub struct Model {
    /// Its name.
    pub name: String,
    /// SHA-256 over its files.
    pub sha256: String,
    /// The commit that it was pulled as, if it was.
    pub revision: Option<String>,
    /// Its tokens.
    pub vocabulary: Vocabulary,
    /// Its dimensions.
    pub shape: Shape,
    /// Layers and their heads that attend to the word being written; none where the network has no such outputs.
    pub(crate) alignment_heads: Vec<(usize, usize)>,
    /// The device that runs its networks besides the processor.
    pub(crate) accelerator: Option<&'static str>,
    pub(crate) encoder: Session,
    pub(crate) decoder: Session,
}

/// A model's dimensions, from its files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shape {
    /// Bands of the spectrogram.
    pub mel_bins: usize,
    /// Frames of the spectrogram in a window.
    pub frames: usize,
    /// Positions of the encoder's answer: half the frames.
    pub positions: usize,
    /// Numbers at each position.
    pub width: usize,
    /// The decoder's layers.
    pub layers: usize,
    /// Attention heads in each.
    pub heads: usize,
    /// Tokens in all.
    pub tokens: usize,
    /// Tokens that the decoder sees at once, prompt and answer.
    pub context: usize,
}

/// How a model is loaded.
#[derive(Clone, Copy, Debug)]
pub struct Loading<'a> {
    /// Its folder.
    pub folder: &'a Path,
    /// Which of its networks: `""`, `quantized`, `int8`, `fp16`, …
    pub precision: &'a str,
    /// Threads of each network.
    pub threads: usize,
    /// The device that they run on.
    pub device: Device,
}

#[derive(Debug, Deserialize)]
struct Config {
    model_type: String,
    num_mel_bins: usize,
    max_source_positions: usize,
    max_target_positions: usize,
    d_model: usize,
    decoder_layers: usize,
    decoder_attention_heads: usize,
    vocab_size: usize,
}

#[derive(Debug, Deserialize)]
struct Preprocessor {
    feature_size: usize,
    hop_length: usize,
    n_fft: usize,
    sampling_rate: usize,
}

// OpenAI's own models have 23 at most. A row of each is 6 kB, and an answer has 224.
const MAX_ALIGNMENT_HEADS: usize = 64;

impl Model {
    /// Loads a model and checks that its files belong together.
    pub fn load(runtime: &Runtime, loading: Loading<'_>) -> Result<Self> {
        let folder = Folder::open(loading.folder, loading.precision)?;
        let mut hashes = Hashes::default();
        let revision = crate::hub::check(loading.folder, &mut hashes)?;
        let shape = shape(&folder)?;
        let mut generation: Generation = folder.json("generation_config.json")?;
        let named = generation.alignment_heads.take().unwrap_or_default();
        let vocabulary = Vocabulary::read(&folder, generation)?;
        let mut accelerator = loading.device.accelerator(Accelerator::is_there);
        let mut load = |part: Part, file: &Path| {
            // Optimized networks are the processor's.
            if let Some(it) = accelerator {
                match session::accelerated(runtime, loading.threads, it)
                    .and_then(|builder| open(builder, Network::File(file.to_owned())))
                {
                    Ok(session) => return Ok(session),
                    Err(error) => {
                        let device = it.name();
                        tracing::warn!(%error, "{device} cannot be used; speech is recognized on the processor");
                        accelerator = None;
                    }
                }
            }
            let network = optimized::prepare(part, file, &mut hashes)?;
            let published = Network::File(file.to_owned());
            let opening = |network| {
                session::builder(runtime, loading.threads).and_then(|builder| open(builder, network))
            };
            let opened = opening(network).or_else(|error| {
                // Older libraries lack an operator that the optimized network has.
                tracing::warn!(file = %file.display(), %error, "the network is used as it was published");
                opening(published)
            });
            opened.map_err(|e| Error::Model {
                file: file.to_owned(),
                problem: format!("not an ONNX network that can be used: {e}"),
            })
        };
        let (encoder_file, decoder_file) = (folder.encoder(), folder.decoder());
        let (encoder, decoder) = (load(Part::Encoder, &encoder_file)?, load(Part::Decoder, &decoder_file)?);
        let check = Check { file: &encoder_file };
        let dims = |list: &[usize]| list.iter().map(|n| *n as i64).collect::<Vec<_>>();
        check.tensor(encoder.inputs(), "input_features", &dims(&[0, shape.mel_bins, shape.frames]))?;
        check.tensor(encoder.outputs(), "last_hidden_state", &dims(&[0, shape.positions, shape.width]))?;
        let check = Check { file: &decoder_file };
        check.tensor(decoder.inputs(), "encoder_hidden_states", &dims(&[0, 0, shape.width]))?;
        check.tensor(decoder.outputs(), "logits", &dims(&[0, 0, shape.tokens]))?;
        check.present(decoder.inputs(), "input_ids")?;
        check.present(decoder.inputs(), "use_cache_branch")?;
        let head = dims(&[0, shape.heads, 0, shape.width / shape.heads]);
        for name in cache_names(shape.layers) {
            check.tensor(decoder.inputs(), &format!("past_key_values.{name}"), &head)?;
            check.tensor(decoder.outputs(), &format!("present.{name}"), &head)?;
        }
        // Exports for other ends do without these outputs.
        let shown = decoder.outputs().iter().any(|output| output.name() == attention_name(0));
        let alignment_heads = if shown { alignment_heads(&folder, named, &shape)? } else { vec![] };
        for (layer, _) in &alignment_heads {
            let rows = dims(&[0, shape.heads, 0, 0]);
            check.tensor(decoder.outputs(), &attention_name(*layer), &rows)?;
        }
        // The tokenizer of another Whisper would name tokens behind the last logit.
        if vocabulary.first_time as usize >= shape.tokens {
            return Err(Error::Model {
                file: folder.file("tokenizer.json"),
                problem: format!("its tokens go beyond the {} of config.json's vocab_size", shape.tokens),
            });
        }
        Ok(Self {
            name: folder.name(),
            sha256: folder.sha256(&mut hashes)?,
            revision,
            vocabulary,
            shape,
            alignment_heads,
            accelerator: accelerator.map(Accelerator::name),
            encoder,
            decoder,
        })
    }
}

/// Returns the codes of the languages that a model knows, read in its files; its networks are not loaded.
pub(crate) fn languages(folder: &Path, precision: &str) -> Result<Vec<String>> {
    let generation: Generation = Folder::open(folder, precision)?.json("generation_config.json")?;
    let codes: Vec<String> = generation.languages().map(|(code, _)| code).collect();
    // Models of English alone have no language tokens.
    Ok(if codes.is_empty() { vec!["en".into()] } else { codes })
}

/// Returns the parts of the decoder's memory, as optimum names them: first its own, then those of the sound.
pub(crate) fn cache_names(layers: usize) -> impl Iterator<Item = String> {
    ["decoder", "encoder"].into_iter().flat_map(move |of| {
        (0..layers).flat_map(move |layer| ["key", "value"].map(|part| format!("{layer}.{of}.{part}")))
    })
}

/// Checks the heads that the settings name. Their rows are kept for a whole answer, so there may not be any number.
fn alignment_heads(
    folder: &Folder,
    mut named: Vec<(usize, usize)>,
    shape: &Shape,
) -> Result<Vec<(usize, usize)>> {
    named.sort_unstable();
    named.dedup();
    let there = named.iter().all(|(layer, head)| *layer < shape.layers && *head < shape.heads);
    if there && named.len() <= MAX_ALIGNMENT_HEADS {
        return Ok(named);
    }
    let Shape { layers, heads, .. } = shape;
    let problem = format!(
        "alignment_heads may name {MAX_ALIGNMENT_HEADS} heads at most, of {layers} layers with {heads} each"
    );
    Err(Error::Model { file: folder.file("generation_config.json"), problem })
}

/// Returns the name of a layer's attention to the sound, as `*_timestamped` exports have it.
pub(crate) fn attention_name(layer: usize) -> String {
    format!("cross_attentions.{layer}")
}

fn shape(folder: &Folder) -> Result<Shape> {
    let wrong = |name: &str, problem: String| Error::Model { file: folder.file(name), problem };
    let config: Config = folder.json("config.json")?;
    if config.model_type != "whisper" {
        return Err(wrong(
            "config.json",
            format!("a model of the kind `{}`, not `whisper`", config.model_type),
        ));
    }
    let sane = [
        config.num_mel_bins,
        config.max_source_positions,
        config.max_target_positions,
        config.d_model,
        config.decoder_layers,
        config.decoder_attention_heads,
        config.vocab_size,
    ];
    // Buffers are sized by these numbers, which come from anybody's file; a million is beyond every Whisper.
    if sane.iter().any(|n| !(1..=1 << 20).contains(n))
        || !config.d_model.is_multiple_of(config.decoder_attention_heads)
    {
        return Err(wrong("config.json", "its dimensions are no Whisper's".into()));
    }
    let preprocessor: Preprocessor = folder.json("preprocessor_config.json")?;
    let given = (preprocessor.sampling_rate, preprocessor.n_fft, preprocessor.hop_length);
    // `mel` has these numbers built in; a model of others would get a spectrogram that it was not trained on.
    if given != (crate::mel::SAMPLE_RATE, crate::mel::WINDOW, crate::mel::HOP) {
        return Err(wrong(
            "preprocessor_config.json",
            format!("{given:?} are no Whisper's rate, window and hop"),
        ));
    }
    if preprocessor.feature_size != config.num_mel_bins {
        let problem = format!(
            "feature_size {} is not config.json's {}",
            preprocessor.feature_size, config.num_mel_bins
        );
        return Err(wrong("preprocessor_config.json", problem));
    }
    Ok(Shape {
        mel_bins: config.num_mel_bins,
        // The encoder's second convolution has a stride of two (Whisper paper §2.2).
        frames: config.max_source_positions * 2,
        positions: config.max_source_positions,
        width: config.d_model,
        layers: config.decoder_layers,
        heads: config.decoder_attention_heads,
        tokens: config.vocab_size,
        context: config.max_target_positions,
    })
}

fn open(mut builder: SessionBuilder, network: Network) -> ort::Result<Session> {
    match network {
        Network::File(file) => builder.commit_from_file(file),
        Network::Bytes(bytes) => builder.commit_from_memory(&bytes),
    }
}

/// Compares a network's tensors with the settings.
struct Check<'a> {
    file: &'a Path,
}

impl Check<'_> {
    fn present<'o>(&self, tensors: &'o [Outlet], name: &str) -> Result<&'o Outlet> {
        tensors.iter().find(|tensor| tensor.name() == name).ok_or_else(|| self.wrong(name, "is missing"))
    }

    /// Checks a tensor of f32; 0 stands for any length.
    fn tensor(&self, tensors: &[Outlet], name: &str, expected: &[i64]) -> Result<()> {
        let ValueType::Tensor { ty, shape, .. } = self.present(tensors, name)?.dtype() else {
            return Err(self.wrong(name, "is no tensor"));
        };
        if *ty != TensorElementType::Float32 {
            return Err(self.wrong(name, &format!("is of {ty}, not of f32; take another precision")));
        }
        let fits = shape.len() == expected.len()
            // A length that the network leaves open is negative.
            && shape.iter().zip(expected).all(|(given, wanted)| *given < 0 || *wanted == 0 || given == wanted);
        if fits {
            return Ok(());
        }
        let list = |dims: &[i64]| {
            let dims: Vec<String> =
                dims.iter().map(|n| if *n > 0 { n.to_string() } else { "any".into() }).collect();
            dims.join(" × ")
        };
        Err(self.wrong(name, &format!("is {}, but config.json makes it {}", list(shape), list(expected))))
    }

    fn wrong(&self, tensor: &str, problem: &str) -> Error {
        Error::Model { file: self.file.to_owned(), problem: format!("the tensor `{tensor}` {problem}") }
    }
}
