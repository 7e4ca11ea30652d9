"""What a job is made of, as files: a dataset, its fields with the losses that are expected of it, and an ONNX file that is small enough to be kept."""

import io
import json
import zipfile

import numpy as np

# a date of its own, so that the same arrays give the same bytes
DATE = (2026, 1, 1, 0, 0, 0)


def write_dataset(path, arrays, manifest):
    """A zip with {split}_{name}.npy of both splits, which have the same rows, and the manifest."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for split in ["train", "valid"]:
            for name, array in arrays.items():
                held = io.BytesIO()
                np.save(held, np.ascontiguousarray(array))
                archive.writestr(zipfile.ZipInfo(f"{split}_{name}.npy", DATE), held.getvalue(), zipfile.ZIP_DEFLATED)
        archive.writestr(zipfile.ZipInfo("manifest.json", DATE), json.dumps(manifest), zipfile.ZIP_DEFLATED)


def write_job(path, model, rows, rate, decay, curves):
    """Every step takes all rows, so that an epoch is a step."""
    optimizer = {"name": "adamw", "learning_rate": rate, "weight_decay": decay}
    training = {"epochs": len(curves["losses"]), "batch_size": rows, "seed": 1, "early_stopping": None, "optimizer": optimizer}
    path.write_text(json.dumps({"model": model, "training": training, **curves}, indent="\t") + "\n")


def without_stack_traces(path):
    """Keeps of the metadata only what tells parameters from buffers."""
    import onnx

    model = onnx.load(path)
    graph = model.graph
    for item in [model, graph, *graph.node, *graph.initializer, *graph.value_info, *graph.input, *graph.output, *model.functions]:
        kept = [entry for entry in item.metadata_props if "InputSpec" in entry.value or "InputSpec" in entry.key]
        del item.metadata_props[:]
        item.metadata_props.extend(kept)
    for node in graph.node:
        node.doc_string = ""
        node.name = ""
    onnx.save(model, path)
