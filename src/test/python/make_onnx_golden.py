"""Tiny ONNX models for the test of lora-native label: a tagger that sees colours, and a captioner that walks
from word to word, whichever way the image's brightness points.

    peers/bin/python src/test/python/make_onnx_golden.py      (needs the packages onnx and tokenizers)
"""

import pathlib

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from tokenizers import Tokenizer

OUT = pathlib.Path(__file__).parents[1] / "resources/label"


def save(name, nodes, inputs, outputs, constants):
    graph = helper.make_graph(nodes, name, inputs, outputs,
                              [numpy_helper.from_array(v, k) for k, v in constants.items()])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    onnx.checker.check_model(model)
    onnx.save(model, OUT / name)


def tagger():
    """Tags: rating, blue, green, red, a character for very red. The input is BGR in 0 to 255."""
    weights = np.array([[0, .1, 0, 0, 0], [0, 0, .1, 0, 0], [9, 0, 0, .1, .1]], np.float32)
    bias = np.array([0, -12, -12, -12, -24], np.float32)
    save("tagger.onnx",
         [helper.make_node("ReduceMean", ["image"], ["mean"], axes=[1, 2], keepdims=0),
          helper.make_node("Gemm", ["mean", "w", "b"], ["z"]),
          helper.make_node("Sigmoid", ["z"], ["probabilities"])],
         [helper.make_tensor_value_info("image", TensorProto.FLOAT, ["N", 8, 8, 3])],
         [helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, ["N", 5])],
         {"w": weights, "b": bias})
    (OUT / "selected_tags.csv").write_text(
        "tag_id,name,category,count\n0,general,9,1\n1,blue_sky,0,1\n2,green_grass,0,1\n3,red,0,1\n"
        "4,captain_red,4,1\n")


def captioner():
    tokenizer = Tokenizer.from_file(str(OUT.parent / "tokenizers/smollm/tokenizer.json"))
    vocab = tokenizer.get_vocab_size()
    begin = tokenizer.token_to_id("<|im_start|>")
    end = tokenizer.token_to_id("<|im_end|>")
    following = np.full((2, vocab), end, np.int64)  # dark and bright
    for k, text in enumerate(("dark", "light")):
        ids = [begin] + tokenizer.encode(text).ids + [end]
        for a, b in zip(ids, ids[1:]):
            following[k, a] = b
    save("captioner.onnx",
         [helper.make_node("ReduceMean", ["pixel_values"], ["mean"], axes=[1, 2, 3], keepdims=0),
          helper.make_node("Greater", ["mean", "zero"], ["bright"]),
          helper.make_node("Gather", ["dark", "input_ids"], ["a"], axis=0),
          helper.make_node("Gather", ["light", "input_ids"], ["b"], axis=0),
          helper.make_node("Where", ["bright", "b", "a"], ["next"]),
          helper.make_node("OneHot", ["next", "vocab", "values"], ["logits"], axis=-1)],
         [helper.make_tensor_value_info("pixel_values", TensorProto.FLOAT, [1, 3, 4, 4]),
          helper.make_tensor_value_info("input_ids", TensorProto.INT64, [1, "T"])],
         [helper.make_tensor_value_info("logits", TensorProto.FLOAT, [1, "T", vocab])],
         {"dark": following[0], "light": following[1], "zero": np.zeros(1, np.float32),
          "vocab": np.array(vocab, np.int64), "values": np.array([0, 1], np.float32)})


if __name__ == "__main__":
    OUT.mkdir(exist_ok=True)
    tagger()
    captioner()
