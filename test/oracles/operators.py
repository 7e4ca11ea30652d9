"""Makes packages/onnx/src/operators.ts: every operator of the standard ONNX domain, the operator set in which it first appeared, and those from 13 on in which
its inputs, outputs or attributes became others.

Run with onnx: python test/oracles/operators.py
"""

import pathlib

import onnx.defs

def form(schema):
    """What a node of the operator looks like, whatever the types."""
    attributes = {
        name: (str(attribute.type), attribute.required, attribute.default_value.SerializeToString())
        for name, attribute in schema.attributes.items()
    }
    values = [[(value.name, str(value.option)) for value in side] for side in (schema.inputs, schema.outputs)]
    return attributes, [[option for _, option in side] for side in values]


history = {}
for schema in onnx.defs.get_all_schemas_with_history():
    if schema.domain == "":
        history.setdefault(schema.name, {})[schema.since_version] = schema
first = {
    name: min(version for version, schema in versions.items() if not schema.deprecated)
    for name, versions in history.items()
    if not all(schema.deprecated for schema in versions.values())
}
changes = {}
for name, versions in history.items():
    ordered = sorted(versions)
    for earlier, later in zip(ordered, ordered[1:]):
        if later > 13 and form(versions[earlier]) != form(versions[later]):
            changes.setdefault(name, []).append(later)
out = pathlib.Path(__file__).parents[2] / "packages/onnx/src/operators.ts"
rows = "".join(f"\t{name}: {version},\n" for name, version in sorted(first.items()))
changed = "".join(f"\t{name}: {versions},\n" for name, versions in sorted(changes.items()))
out.write_text(
    f"/** Operators of the standard ONNX domain (onnx {onnx.__version__}) by the operator set in which they first appeared. Made by test/oracles/operators.py. */\n"
    f"export const operators: Readonly<Record<string, number>> = {{\n{rows}}};\n\n"
    "/** The operator sets from 14 on in which inputs, outputs or attributes of an operator became others; none for an operator that is not here. */\n"
    f"export const formChanges: Readonly<Record<string, readonly number[]>> = {{\n{changed}}};\n"
)
