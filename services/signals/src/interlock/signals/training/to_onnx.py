"""Trained models to ONNX files, the same bytes for the same model.

Written out here rather than by a converter, because a threshold must not move: LightGBM compares in
double precision and ONNX in single, so each threshold is rounded downwards. Then a single-precision
input falls on the same side in both, and `prove` holds the two against each other.
"""

from collections.abc import Mapping
from importlib import import_module
from typing import Any

import numpy as np
from numpy.typing import NDArray

from interlock.signals.adapters.serving import INPUT_NAME
from interlock.signals.training.errors import TrainingError
from interlock.signals.training.policy import CLIPPED_AT, Policy
from interlock.signals.training.table import Floats

_OPSET, _TREES_OPSET, _FORMAT = 17, 3, 8
_MOST_DIFFERENCE = 1e-4


class _Nodes:
    """The columns of one ``TreeEnsembleRegressor``."""

    def __init__(self) -> None:
        self.of: dict[str, list[Any]] = {
            name: []
            for name in (
                "nodes_treeids", "nodes_nodeids", "nodes_featureids", "nodes_values",
                "nodes_modes", "nodes_truenodeids", "nodes_falsenodeids",
                "nodes_missing_value_tracks_true", "target_treeids", "target_nodeids",
                "target_ids", "target_weights",
            )
        }  # fmt: skip

    def add(self, tree: int, node: Mapping[str, Any], number: int) -> int:
        """Add `node` as `number`, and what is below it; return the next free number."""
        split = "split_feature" in node
        self._row(
            "nodes",
            treeids=tree,
            nodeids=number,
            featureids=node["split_feature"] if split else 0,
            values=_rounded_down(node["threshold"]) if split else 0.0,
            modes="BRANCH_LEQ" if split else "LEAF",
        )
        place = len(self.of["nodes_nodeids"]) - 1
        self._row("nodes", truenodeids=0, falsenodeids=0, missing_value_tracks_true=0)
        if not split:
            self._row("target", treeids=tree, nodeids=number, ids=0, weights=node["leaf_value"])
            return number + 1
        assert node["decision_type"] == "<="
        right = self.add(tree, node["left_child"], number + 1)
        self.of["nodes_truenodeids"][place] = number + 1
        self.of["nodes_falsenodeids"][place] = right
        # Where no value was missing while learning, LightGBM takes a missing one for 0.
        unseen = node["missing_type"] == "None"
        to_left = node["threshold"] >= 0.0 if unseen else node["default_left"]
        self.of["nodes_missing_value_tracks_true"][place] = int(to_left)
        return self.add(tree, node["right_child"], right)

    def _row(self, prefix: str, **values: Any) -> None:
        for name, value in values.items():
            self.of[f"{prefix}_{name}"].append(value)


def _rounded_down(threshold: float) -> float:
    single = np.float32(threshold)
    if float(single) > threshold:
        single = np.nextafter(single, np.float32(-np.inf))
    return float(single)


def trees_to_onnx(booster: Any, metadata: Mapping[str, str]) -> bytes:
    """Return a binary classifier's trees as a model: inputs to the probability of 1."""
    helper = import_module("onnx.helper")
    nodes = _Nodes()
    dumped = booster.dump_model()
    for number, tree in enumerate(dumped["tree_info"]):
        nodes.add(number, tree["tree_structure"], 0)
    trees = helper.make_node(
        "TreeEnsembleRegressor", [INPUT_NAME], ["sum"], domain="ai.onnx.ml", n_targets=1, **nodes.of
    )
    sigmoid = helper.make_node("Sigmoid", ["sum"], ["said"])
    return _model([trees, sigmoid], [], dumped["max_feature_idx"] + 1, metadata)


def policy_to_onnx(policy: Policy, metadata: Mapping[str, str]) -> bytes:
    """Return a policy as a model: inputs, gaps allowed, to the size hint."""
    helper = import_module("onnx.helper")
    first, first_bias, second, second_bias = policy.network.weights
    constants = [
        _constant("mean", policy.mean),
        _constant("deviation", policy.deviation),
        _constant("nothing", np.zeros(1)),
        _constant("lowest", np.array(-CLIPPED_AT)),
        _constant("highest", np.array(CLIPPED_AT)),
        _constant("first", first),
        _constant("first_bias", first_bias),
        _constant("second", second.reshape(-1, 1)),
        _constant("second_bias", second_bias),
        _constant("scale", np.array([policy.scale])),
    ]
    steps = [
        helper.make_node("Sub", [INPUT_NAME, "mean"], ["centred"]),
        helper.make_node("Div", ["centred", "deviation"], ["scaled"]),
        helper.make_node("IsNaN", ["scaled"], ["missing"]),
        helper.make_node("Where", ["missing", "nothing", "scaled"], ["filled"]),
        helper.make_node("Clip", ["filled", "lowest", "highest"], ["clipped"]),
        helper.make_node("Gemm", ["clipped", "first", "first_bias"], ["weighed"]),
        helper.make_node("Tanh", ["weighed"], ["hidden"]),
        helper.make_node("Gemm", ["hidden", "second", "second_bias"], ["unscaled"]),
        helper.make_node("Mul", ["unscaled", "scale"], ["said"]),
    ]
    return _model(steps, constants, len(policy.mean), metadata)


def _constant(name: str, values: Floats) -> Any:
    return import_module("onnx.numpy_helper").from_array(values.astype(np.float32), name)


def _model(
    steps: list[Any], constants: list[Any], inputs: int, metadata: Mapping[str, str]
) -> bytes:
    helper = import_module("onnx.helper")
    onnx = import_module("onnx")
    single = onnx.TensorProto.FLOAT
    graph = helper.make_graph(
        steps,
        "model",
        [helper.make_tensor_value_info(INPUT_NAME, single, [None, inputs])],
        [helper.make_tensor_value_info("said", single, [None, 1])],
        constants,
    )
    model = helper.make_model(
        graph,
        producer_name="interlock",
        ir_version=_FORMAT,
        opset_imports=[
            helper.make_opsetid("", _OPSET),
            helper.make_opsetid("ai.onnx.ml", _TREES_OPSET),
        ],
    )
    helper.set_model_props(model, dict(metadata))
    onnx.checker.check_model(model)
    body: bytes = model.SerializeToString(deterministic=True)
    return body


def prove(body: bytes, inputs: NDArray[np.float32], expected: Floats) -> None:
    """Raise `TrainingError` unless the written model says what the trained one says."""
    runtime = import_module("onnxruntime")
    session = runtime.InferenceSession(body, providers=["CPUExecutionProvider"])
    said = session.run(None, {INPUT_NAME: inputs})[0].ravel()
    worst = float(np.max(np.abs(said - expected), initial=0.0))
    if not worst <= _MOST_DIFFERENCE:
        raise TrainingError(f"a written model differs from the trained one by {worst}: not kept")
