"""Makes a model of whisper-tiny's exact geometry with seeded random weights and the real multilingual tokenizer, for
comparisons that need its size and not its knowledge: parity (`make reference`) and speed (`make bench-transcribe`).

Usage: tiny.py FOLDER. Writes FOLDER/hf (transformers), FOLDER/whisper-tiny-random (ONNX, as onnx-community has it: f32
and quantized), FOLDER/ct2 (CTranslate2, int8) and FOLDER/ggml.bin (whisper.cpp, q8_0), each where its maker is installed.

The weights are random, but answers end by themselves: from one decoder position on, the position's own vector is that of
<|endoftext|>. So every engine writes exactly TOKENS tokens for a window, without any limit being set.
"""

import importlib.util
import json
import shutil
import struct
import sys
from pathlib import Path

import numpy as np
import onnx as graphs
import torch
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers
from transformers import (GenerationConfig, WhisperConfig, WhisperFeatureExtractor, WhisperForConditionalGeneration,
                          WhisperTokenizerFast)
from transformers.convert_slow_tokenizer import TikTokenConverter
from transformers.models.whisper.tokenization_whisper import LANGUAGES

TOKENS = 100
# <|startoftranscript|>, the language, the task, <|notimestamps|>.
PREFIX = 4
SEED = 20261124


def assets():
    """openai-whisper's files, without importing it and what it needs."""
    return Path(importlib.util.find_spec("whisper").submodule_search_locations[0]) / "assets"


def tokenizer():
    vocab, merges = TikTokenConverter().extract_vocab_merges_from_model(str(assets() / "multilingual.tiktoken"))
    made = Tokenizer(models.BPE(vocab, merges))
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = decoders.ByteLevel()
    languages = list(LANGUAGES)[:99]
    signs = ["<|endoftext|>", "<|startoftranscript|>", *[f"<|{code}|>" for code in languages], "<|translate|>",
             "<|transcribe|>", "<|startoflm|>", "<|startofprev|>", "<|nospeech|>", "<|notimestamps|>"]
    made.add_special_tokens([AddedToken(sign, special=True) for sign in signs])
    made.add_tokens([AddedToken(f"<|{n * 0.02:.2f}|>") for n in range(1501)])
    return made, languages


def hf(folder):
    made, languages = tokenizer()
    of = made.token_to_id
    end = of("<|endoftext|>")
    assert made.get_vocab_size() == 51865 and end == 50257
    # The defaults are whisper-tiny's dimensions.
    config = WhisperConfig(bos_token_id=end, eos_token_id=end, pad_token_id=end, begin_suppress_tokens=None,
                           decoder_start_token_id=of("<|startoftranscript|>"))
    torch.manual_seed(SEED)
    model = WhisperForConditionalGeneration(config).eval()
    with torch.no_grad():
        for name, weights in model.named_parameters():
            # Layers that outweigh their input, so that answers are no endless row of one token.
            if name.endswith("weight") and weights.dim() == 2 and "embed" not in name:
                weights.normal_(0, 3 / weights.shape[1] ** 0.5)
        decoder = model.model.decoder
        decoder.embed_tokens.weight.normal_(0, 1)
        decoder.embed_positions.weight.normal_(0, 1)
        ending = torch.sign(torch.randn(config.d_model))
        decoder.embed_tokens.weight[end] = ending
        decoder.embed_positions.weight[PREFIX + TOKENS - 1:] = 200 * ending
    generation = GenerationConfig(
        bos_token_id=end, eos_token_id=end, pad_token_id=end, decoder_start_token_id=config.decoder_start_token_id,
        begin_suppress_tokens=[220, end], suppress_tokens=[], is_multilingual=True, max_length=448,
        max_initial_timestamp_index=50, no_timestamps_token_id=of("<|notimestamps|>"), return_timestamps=False,
        prev_sot_token_id=of("<|startofprev|>"), lang_to_id={f"<|{code}|>": of(f"<|{code}|>") for code in languages},
        task_to_id={task: of(f"<|{task}|>") for task in ("transcribe", "translate")}, alignment_heads=[[0, 0]])
    model.generation_config = generation
    model.save_pretrained(folder)
    fast = WhisperTokenizerFast(tokenizer_object=made, bos_token="<|endoftext|>", eos_token="<|endoftext|>",
                                unk_token="<|endoftext|>", pad_token="<|endoftext|>")
    fast.save_pretrained(folder)
    made.save(str(folder / "tokenizer.json"))
    WhisperFeatureExtractor().save_pretrained(folder)
    return model


def onnx(source, folder):
    from onnxruntime.quantization import QuantType, quantize_dynamic
    from optimum.exporters.onnx import main_export

    main_export(str(source), output=str(folder), task="automatic-speech-recognition-with-past", do_validation=False)
    networks = folder / "onnx"
    networks.mkdir()
    for name in ("encoder_model", "decoder_model_merged"):
        shutil.move(folder / f"{name}.onnx", networks / f"{name}.onnx")
        # As the hub's `_quantized` files were made.
        quantize_dynamic(networks / f"{name}.onnx", networks / f"{name}_quantized.onnx", weight_type=QuantType.QUInt8,
                         extra_options={"EnableSubgraph": True})
    tie(networks / "decoder_model_merged_quantized.onnx")
    for left in folder.glob("*.onnx*"):
        left.unlink()


def tie(file):
    """Has the decoder's last matrix be its embedding turned round, as in the hub's files (and in the demo model's): newer
    versions of the exporter keep it twice, which takes 20 MB more and is another thing to run."""
    model = graphs.load(file)
    whole = {tuple(tensor.dims): tensor for tensor in model.graph.initializer}
    embedding, last = whole[51865, 384], whole[384, 51865]
    assert embedding.name.endswith("_quantized")
    stem = embedding.name.removesuffix("_quantized")
    for branch in (attribute.g for node in model.graph.node if node.op_type == "If" for attribute in node.attribute):
        maker = {name: node for node in branch.node for name in node.output}
        scaled = maker["logits"]
        exact, scales = maker[scaled.input[0]], maker[scaled.input[1]]
        product = maker[exact.input[0]]
        assert product.input[1] == last.name
        for node in (scaled, exact, scales, product):
            branch.node.remove(node)
        branch.node.extend([
            graphs.helper.make_node("Transpose", [embedding.name], ["turned"], perm=[1, 0]),
            graphs.helper.make_node("DequantizeLinear", ["turned", f"{stem}_scale", f"{stem}_zero_point"], ["last"]),
            graphs.helper.make_node("MatMul", [product.input[0].removesuffix("_quantized"), "last"], ["logits"]),
        ])
    model.graph.initializer.remove(last)
    graphs.checker.check_model(model)
    graphs.save(model, file)


def ct2(source, folder):
    from ctranslate2.converters import TransformersConverter

    files = ["tokenizer.json", "preprocessor_config.json"]
    TransformersConverter(str(source), copy_files=files).convert(str(folder), quantization="int8", force=True)


GGML_MAGIC, F32, F16, Q8_0, MOSTLY_Q8_0, BLOCK = 0x67676D6C, 0, 1, 8, 7, 32
GGML_NAMES = {
    "self_attn.q_proj": "attn.query", "self_attn.k_proj": "attn.key", "self_attn.v_proj": "attn.value",
    "self_attn.out_proj": "attn.out", "self_attn_layer_norm": "attn_ln", "encoder_attn.q_proj": "cross_attn.query",
    "encoder_attn.k_proj": "cross_attn.key", "encoder_attn.v_proj": "cross_attn.value",
    "encoder_attn.out_proj": "cross_attn.out", "encoder_attn_layer_norm": "cross_attn_ln", "fc1": "mlp.0",
    "fc2": "mlp.2", "final_layer_norm": "mlp_ln",
}
GGML_TOP = {
    "encoder.embed_positions.weight": "encoder.positional_embedding", "encoder.layer_norm": "encoder.ln_post",
    "decoder.embed_positions.weight": "decoder.positional_embedding", "decoder.layer_norm": "decoder.ln",
    "decoder.embed_tokens": "decoder.token_embedding",
}


def ggml(model, file):
    """Writes whisper.cpp's own format, with the matrices in its 8-bit blocks."""
    config, (made, _) = model.config, tokenizer()
    with np.load(assets() / "mel_filters.npz") as filters:
        filters = filters["mel_80"].astype(np.float32)
    inverse = {sign: byte for byte, sign in bytes_to_signs().items()}
    words = sorted((n, word) for word, n in made.get_vocab(with_added_tokens=False).items())
    with open(file, "wb") as out:
        numbers = [GGML_MAGIC, config.vocab_size, config.max_source_positions, config.d_model,
                   config.encoder_attention_heads, config.encoder_layers, config.max_target_positions, config.d_model,
                   config.decoder_attention_heads, config.decoder_layers, config.num_mel_bins, 2000 + MOSTLY_Q8_0,
                   *filters.shape]
        out.write(struct.pack(f"{len(numbers)}i", *numbers) + filters.tobytes() + struct.pack("i", len(words)))
        for _, word in words:
            text = bytes(inverse[sign] for sign in word)
            out.write(struct.pack("i", len(text)) + text)
        for name, weights in model.model.state_dict().items():
            tensor(out, ggml_name(name), weights.numpy().astype(np.float32))


def ggml_name(name):
    if name in GGML_TOP:
        return GGML_TOP[name]
    stem, kind = name.rsplit(".", 1)
    if ".layers." in stem:
        side, _, layer, part = stem.split(".", 3)
        return f"{side}.blocks.{layer}.{GGML_NAMES[part]}.{kind}"
    return f"{GGML_TOP.get(stem, stem)}.{kind}"


def tensor(out, name, values):
    if name in ("encoder.conv1.bias", "encoder.conv2.bias"):
        values = values.reshape(-1, 1)
    if values.ndim == 2 and not name.endswith(("positional_embedding", "conv1.bias", "conv2.bias")):
        kind, data = Q8_0, q8_0(values)
    elif values.ndim == 3:
        kind, data = F16, values.astype(np.float16).tobytes()
    else:
        kind, data = F32, values.tobytes()
    out.write(struct.pack("iii", values.ndim, len(name), kind))
    out.write(struct.pack(f"{values.ndim}i", *reversed(values.shape)) + name.encode() + data)


def q8_0(values):
    """Blocks of 32: a scale in f16, then the numbers in eight bits."""
    blocks = values.reshape(-1, BLOCK)
    scales = np.abs(blocks).max(axis=1, keepdims=True) / 127
    inverse = np.divide(1, scales, out=np.zeros_like(scales), where=scales > 0)
    numbers = np.round(blocks * inverse).astype(np.int8)
    return np.concatenate([scales.astype(np.float16).view(np.int8), numbers], axis=1).tobytes()


def bytes_to_signs():
    from transformers.models.whisper.tokenization_whisper import bytes_to_unicode
    return bytes_to_unicode()


def main():
    folder = Path(sys.argv[1])
    shutil.rmtree(folder, ignore_errors=True)
    model = hf(folder / "hf")
    onnx(folder / "hf", folder / "whisper-tiny-random")
    if importlib.util.find_spec("ctranslate2"):
        ct2(folder / "hf", folder / "ct2")
    if importlib.util.find_spec("pywhispercpp"):
        ggml(model, folder / "ggml.bin")
    print(json.dumps({file.relative_to(folder).as_posix(): file.stat().st_size for file in sorted(folder.rglob("*.*"))
                      if file.suffix in (".onnx", ".bin", ".safetensors")}, indent=1))


if __name__ == "__main__":
    main()
