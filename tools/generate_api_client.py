"""Write the TypeScript types of our own JSON API, for `@negatoscope/api-client`.

    python tools/generate_api_client.py [--check]

The routes describe themselves (OpenAPI 3.1); neither a server nor a database is needed. With
``--check``, only says whether the file is current. One interface per schema, one entry per
operation under ``"METHOD path"``, in the order of their names: two changes seldom touch.
"""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final
from unittest.mock import MagicMock

ROOT: Final = Path(__file__).parent.parent
TARGET: Final = ROOT / "web/packages/api-client/src/schema.gen.ts"
METHODS: Final = ("get", "put", "post", "delete", "patch")
_HEAD: Final = (
    "// Written by tools/generate_api_client.py from the routes' OpenAPI; never edited.\n"
)
_SCALARS: Final = {
    "string": "string",
    "integer": "number",
    "number": "number",
    "boolean": "boolean",
    "null": "null",
}


def openapi() -> dict[str, Any]:
    """What the routes say of themselves."""
    from negatoscope.entrypoints.api.app import create_api

    api: Any = create_api(MagicMock())
    document: dict[str, Any] = api.openapi()
    return document


def render(document: dict[str, Any]) -> str:
    """The whole file."""
    parts = [_HEAD]
    schemas = document.get("components", {}).get("schemas", {})
    parts.extend(_declaration(_identifier(name), schemas[name]) for name in sorted(schemas))
    parts.append("/** Every operation: what it takes and what it answers. */")
    parts.append("export interface Operations {")
    operations = {
        f"{method.upper()} {path}": _operation(document, item, item[method])
        for path, item in document["paths"].items()
        for method in METHODS
        if method in item
    }
    parts.extend(f"  {_quote(key)}: {operations[key]};" for key in sorted(operations))
    parts.append("}\n")
    return "\n".join(parts)


def _operation(document: dict[str, Any], item: dict[str, Any], operation: dict[str, Any]) -> str:
    groups: dict[str, list[str]] = {"path": [], "query": []}
    for parameter in [*item.get("parameters", []), *operation.get("parameters", [])]:
        if "$ref" in parameter:
            parameter = document["components"]["parameters"][_name(parameter["$ref"])]
        if parameter["in"] in groups:
            mark = "" if parameter.get("required") else "?"
            kind = type_of(parameter.get("schema", {}))
            groups[parameter["in"]].append(f"{_key(parameter['name'])}{mark}: {kind}")
    members = [
        f"{group}: {{ {'; '.join(found)} }}" if found else f"{group}: Record<never, never>"
        for group, found in groups.items()
    ]
    members.append(f"body: {_body(operation.get('requestBody'))}")
    members.append(f"answer: {_answer(operation['responses'])}")
    return "{ " + "; ".join(members) + " }"


def _body(body: dict[str, Any] | None) -> str:
    if body is None:
        return "undefined"
    content = body["content"]
    if "application/json" not in content:
        return "Blob"
    kind = type_of(content["application/json"].get("schema", {}))
    return kind if body.get("required") else f"{kind} | undefined"


def _answer(responses: dict[str, Any]) -> str:
    kinds: list[str] = []
    for status in sorted(responses):
        if not status.startswith("2"):
            continue
        content = responses[status].get("content")
        if content is None:
            kinds.append("undefined")
        elif "application/json" in content:
            kinds.append(type_of(content["application/json"].get("schema", {})))
        else:
            kinds.append("Blob")
    return " | ".join(dict.fromkeys(kinds)) or "undefined"


def _declaration(name: str, schema: dict[str, Any]) -> str:
    lines = list(_comment(schema.get("description"), ""))
    if "properties" in schema:
        lines.append(f"export interface {name} {{")
        required = set(schema.get("required", ()))
        for key, value in schema["properties"].items():
            lines.extend(_comment(value.get("description"), "  "))
            # What has a default is always answered, and need not be sent.
            mark = "" if key in required else "?"
            lines.append(f"  {_key(key)}{mark}: {type_of(value)};")
        lines.append("}\n")
    else:
        lines.append(f"export type {name} = {type_of(schema)};\n")
    return "\n".join(lines)


def type_of(schema: dict[str, Any]) -> str:
    """The TypeScript type of a JSON schema as pydantic writes them."""
    if "$ref" in schema:
        return _identifier(_name(schema["$ref"]))
    if "const" in schema:
        return _literal(schema["const"])
    if "enum" in schema:
        return " | ".join(_literal(value) for value in schema["enum"])
    for word, joint in (("anyOf", " | "), ("oneOf", " | "), ("allOf", " & ")):
        if word in schema:
            return joint.join(dict.fromkeys(type_of(one) for one in schema[word]))
    kind = schema.get("type")
    if isinstance(kind, list):
        return " | ".join(type_of({**schema, "type": one}) for one in kind)
    if kind == "array":
        if "prefixItems" in schema:
            return f"[{', '.join(type_of(one) for one in schema['prefixItems'])}]"
        item = type_of(schema.get("items", {}))
        return f"({item})[]" if " " in item else f"{item}[]"
    if kind == "object":
        return _object(schema)
    return _SCALARS.get(kind or "", "unknown")


def _object(schema: dict[str, Any]) -> str:
    if "properties" in schema:
        required = set(schema.get("required", ()))
        members = (
            f"{_key(key)}{'' if key in required else '?'}: {type_of(value)}"
            for key, value in schema["properties"].items()
        )
        return "{ " + "; ".join(members) + " }"
    more = schema.get("additionalProperties", True)
    return f"Record<string, {type_of(more) if isinstance(more, dict) else 'unknown'}>"


def _comment(text: str | None, indent: str) -> Iterator[str]:
    if text:
        sentence = " ".join(text.split("\n\n")[0].split()).replace("*/", "* /")
        yield f"{indent}/** {sentence} */"


def _identifier(name: str) -> str:
    return "".join(part[:1].upper() + part[1:] for part in _words(name))


def _words(name: str) -> list[str]:
    return "".join(one if one.isalnum() else " " for one in name).split()


def _name(reference: str) -> str:
    return reference.rpartition("/")[2]


def _key(name: str) -> str:
    return name if name.isidentifier() else _quote(name)


def _quote(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def _literal(value: object) -> str:
    if isinstance(value, str):
        return _quote(value)
    return {True: "true", False: "false", None: "null"}.get(value, repr(value))  # type: ignore[call-overload]


def main() -> int:
    """Write the file, or compare it."""
    text = render(openapi())
    if "--check" in sys.argv[1:]:
        if TARGET.read_text(encoding="utf-8") != text:
            print("schema.gen.ts is not current: run tools/generate_api_client.py", file=sys.stderr)
            return 1
        return 0
    TARGET.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
