"""Gives a merged decoder the further outputs `cross_attentions.{layer}` of the `*_timestamped` exports: in both
branches, the attention's own softmax. Weights and all else stay as they are.

    target/reference/bin/python transcriber/reference/timestamped.py IN.onnx OUT.onnx
"""

import sys

import onnx
from onnx import TensorProto, helper


def softmaxes(branch):
    """The outputs of the softmaxes over the sound, by layer."""
    found = [node.output[0] for node in branch.node if node.op_type == "Softmax" and "/encoder_attn/" in node.name]
    return sorted(found, key=lambda name: int(name.split("layers.")[1].split("/")[0]))


def output(name):
    return helper.make_tensor_value_info(name, TensorProto.FLOAT, ["batch", "heads", "tokens", "positions"])


def main():
    model = onnx.load(sys.argv[1])
    branching = next(node for node in model.graph.node if node.op_type == "If")
    for attribute in branching.attribute:
        branch = attribute.g
        layers = softmaxes(branch)
        for layer, softmax in enumerate(layers):
            # Names must differ between a branch's output and what is inside it.
            name = f"cross_attentions.{layer}_{attribute.name}"
            branch.node.append(helper.make_node("Identity", [softmax], [name]))
            branch.output.append(output(name))
    for layer in range(len(layers)):
        branching.output.append(f"cross_attentions.{layer}")
        model.graph.output.append(output(f"cross_attentions.{layer}"))
    onnx.checker.check_model(model)
    onnx.save(model, sys.argv[2])


if __name__ == "__main__":
    main()
