"""Writes test/kubernetes/fixtures/schemas.json: the schemas of the kinds of Kubernetes that deploy/kubernetes has, without their descriptions.

It needs the package kubernetes-validate (1.37.0 was used), which brings the schemas that Kubernetes publishes in its OpenAPI document, under
the Apache License 2.0, in a strict form that takes no unknown field.
"""

import json
from pathlib import Path

import kubernetes_validate

VERSION = "1.32.0"
KINDS = [
    "configmap-v1",
    "deployment-apps-v1",
    "ingress-networking-v1",
    "namespace-v1",
    "networkpolicy-networking-v1",
    "persistentvolumeclaim-v1",
    "poddisruptionbudget-policy-v1",
    "secret-v1",
    "service-v1",
    "statefulset-apps-v1",
]
FOLDER = Path(kubernetes_validate.__file__).parent / "kubernetes-json-schema" / f"v{VERSION}-local-strict"
ALL = json.loads((FOLDER / "_definitions.json").read_text())["$defs"]

kept: dict[str, object] = {}


def pruned(schema: object, in_properties: bool = False) -> object:
    """A schema without descriptions, whose references are to `$defs` of the same file; what it refers to is kept too."""
    if isinstance(schema, list):
        return [pruned(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    out = {}
    for key, value in schema.items():
        if not in_properties and (key == "description" or key.startswith("x-kubernetes") or key in ("$schema", "$id")):
            continue
        if key == "$ref" and not in_properties:
            name = value.removeprefix("/api/_definitions.json#/$defs/").removeprefix("#/$defs/")
            keep(name)
            out[key] = f"#/$defs/{name}"
        else:
            out[key] = pruned(value, in_properties=key == "properties" and not in_properties)
    return out


def keep(name: str) -> None:
    if name in kept:
        return
    kept[name] = None
    kept[name] = pruned(ALL[name])


kinds = {}
for kind in KINDS:
    schema = pruned(json.loads((FOLDER / f"{kind}.json").read_text()))
    version = schema["properties"]["apiVersion"]["enum"][0]
    kinds[f"{version} {schema['properties']['kind']['enum'][0]}"] = schema
text = json.dumps(
    {
        "$comment": f"From the OpenAPI document of Kubernetes {VERSION}, Apache License 2.0; written by schemas.py.",
        "kinds": kinds,
        "$defs": dict(sorted(kept.items())),
    },
    separators=(",", ":"),
)
(Path(__file__).parent / "fixtures" / "schemas.json").write_text(text + "\n")
