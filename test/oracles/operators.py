"""Makes packages/onnx/src/operators.ts: every operator of the standard ONNX domain and the operator set in which it first appeared.

Run with onnx: python test/oracles/operators.py
"""

import pathlib

import onnx.defs

first = {}
for schema in onnx.defs.get_all_schemas_with_history():
    if schema.domain == "" and not schema.deprecated:
        first[schema.name] = min(schema.since_version, first.get(schema.name, 10**6))
out = pathlib.Path(__file__).parents[2] / "packages/onnx/src/operators.ts"
rows = "".join(f"\t{name}: {version},\n" for name, version in sorted(first.items()))
out.write_text(
    f"/** Operators of the standard ONNX domain (onnx {onnx.__version__}) by the operator set in which they first appeared. Made by test/oracles/operators.py. */\n"
    f"export const operators: Readonly<Record<string, number>> = {{\n{rows}}};\n"
)
