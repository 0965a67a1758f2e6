"""The laws of the house as tests: imports, purity, shape, names, the gate's environment."""

import ast
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from interlock.wire import catalogue

ROOT = Path(__file__).parents[2]
SERVICES = sorted(path.parent.name for path in ROOT.glob("services/*/pyproject.toml"))
PACKAGES = sorted(ROOT.glob("*/*/src/interlock/*/"))
BUS_SERVICES = [name for name in SERVICES if name not in ("cli", "console")]
PURE_FILES = ("core.py", "state.py", "checks.py", "ports.py", "config.py")
SHELL_OF_THE_GATE = ("__main__.py", "app.py", "recovery.py", "rules_store.py")
STANDARD = sys.stdlib_module_names
PURE_STANDARD = {
    "__future__", "abc", "bisect", "collections", "dataclasses", "datetime", "decimal", "enum",
    "fractions", "functools", "hashlib", "heapq", "itertools", "json", "math", "operator", "re",
    "statistics", "string", "types", "typing", "unicodedata", "zoneinfo",
}  # fmt: skip
PURE_THIRD_PARTY = {"msgspec", "interlock"}
IMPURE_ROOMS = ("interlock.runtime",)
IMPURE_CALLS = {"open", "print", "input", "exec", "eval", "__import__"}
VAGUE = {"utils", "util", "helpers", "helper", "common", "manager", "misc", "base_service"}


def source(service: str) -> Path:
    return ROOT / "services" / service / "src" / "interlock" / service.replace("-", "_")


def pure_files() -> list[Path]:
    files = [*ROOT.glob("libs/model/src/**/*.py"), *ROOT.glob("libs/wire/src/**/*.py")]
    for service in BUS_SERVICES:
        files += [source(service) / name for name in PURE_FILES]
    gate, strategy = source("gate"), source("strategy")
    files += [path for path in gate.rglob("*.py") if path.name not in SHELL_OF_THE_GATE]
    shell = {strategy / "app.py", strategy / "__main__.py", *strategy.glob("adapters/*.py")}
    files += [path for path in strategy.rglob("*.py") if path not in shell]
    return sorted({path for path in files if path.exists()})


def imports_of(tree: ast.AST) -> list[str]:
    names: list[str] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names.append(node.module or "")
    return names


def test_import_contracts_hold():
    done = subprocess.run(
        [sys.executable, "-c", "from importlinter.cli import lint_imports_command as c; c()"],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("path", pure_files(), ids=lambda p: str(p.relative_to(ROOT)))
def test_cores_are_pure(path: Path):
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for name in imports_of(tree):
        top = name.split(".")[0]
        allowed = PURE_STANDARD if top in STANDARD else PURE_THIRD_PARTY
        assert top in allowed, f"{path.name} imports {name}"
        assert not name.startswith(IMPURE_ROOMS), f"{path.name} imports {name}"
    for node in ast.walk(tree):
        assert not isinstance(node, ast.AsyncFunctionDef | ast.Await) or _is_protocol(tree, node)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            assert node.func.id not in IMPURE_CALLS, f"{path.name} calls {node.func.id}"


def _is_protocol(tree: ast.AST, node: ast.AST) -> bool:
    """A port may promise something asynchronous; it does nothing itself."""
    return any(
        isinstance(cls, ast.ClassDef)
        and any(isinstance(base, ast.Name) and base.id == "Protocol" for base in cls.bases)
        and node in ast.walk(cls)
        for cls in ast.walk(tree)
    )


@pytest.mark.parametrize("service", BUS_SERVICES)
def test_services_have_one_shape(service: str):
    folder = source(service)
    for name in ("__main__.py", "app.py", "config.py", "state.py", "core.py"):
        assert (folder / name).is_file(), f"{service} lacks {name}"
    entry = (folder / "__main__.py").read_text(encoding="utf-8").splitlines()
    assert len(entry) == 3, "an entry point imports main and calls it"
    app = (folder / "app.py").read_text(encoding="utf-8")
    assert len(app.splitlines()) <= 160, f"{service}/app.py is wiring and nothing else"


def test_every_service_of_the_catalogue_has_a_room():
    assert set(BUS_SERVICES) == set(catalogue.SERVICES)


def test_no_file_has_a_vague_name():
    named = [p for p in ROOT.glob("*/*/src/**/*.py") if p.stem in VAGUE]
    assert named == []


def test_subjects_are_spelled_in_one_file():
    spelled = re.compile(r"[\"'](data|doc|evt|cmd|sys|sim|dead)\.[a-z]+[.-][a-z*{>]")
    allowed = {"subjects.py", "catalogue.py"}
    guilty = [
        str(path.relative_to(ROOT))
        for path in ROOT.glob("*/*/src/**/*.py")
        if path.name not in allowed
        and any(
            spelled.search(line)
            for line in path.read_text(encoding="utf-8").splitlines()
            if "tag=" not in line
        )
    ]
    assert guilty == []


def test_there_is_no_bypass():
    guilty = [
        str(path.relative_to(ROOT))
        for path in ROOT.glob("*/*/src/**/*.py")
        if re.search(r"\bbypass|skip_(gate|risk|checks?)\b", path.read_text(encoding="utf-8"))
    ]
    assert guilty == []


def test_only_the_gate_holds_the_signing_key():
    users = {
        path.relative_to(ROOT).parts[1]
        for path in ROOT.glob("services/*/src/**/*.py")
        if "load_signer" in path.read_text(encoding="utf-8")
    }
    assert users == {"gate"}


def test_packages_declare_what_they_import():
    for folder in PACKAGES:
        project = tomllib.loads((folder.parents[2] / "pyproject.toml").read_text(encoding="utf-8"))
        declared = {re.split(r"[\[<>=;]", text)[0] for text in project["project"]["dependencies"]}
        used = {
            "interlock-" + name.split(".")[1].replace("_", "-")
            for path in folder.rglob("*.py")
            for name in imports_of(ast.parse(path.read_text(encoding="utf-8")))
            if name.startswith("interlock.")
        } - {project["project"]["name"]}
        assert used <= declared, f"{project['project']['name']} uses {used - declared}"


def test_the_gates_own_environment_holds_no_model_and_no_venue():
    """Resolve the gate's package alone, as it is deployed: nothing there can ask or trade."""
    uv = ROOT / ".tools" / "bin" / "uv"
    if not uv.exists():
        pytest.skip("uv is not in .tools/: run `make setup`")
    done = subprocess.run(
        [uv, "export", "--frozen", "--no-hashes", "--no-dev", "--package", "interlock-gate"],
        cwd=ROOT, capture_output=True, text=True, check=True,
        env={**os.environ, "UV_PYTHON_DOWNLOADS": "never"},
    )  # fmt: skip
    names = {
        re.split(r"[=;\s]", line.strip())[0]
        for line in done.stdout.splitlines()
        if line and not line.startswith(("#", "-e", " "))
    }
    assert "nats-py" in names
    forbidden = {"openai", "ollama", "ccxt", "alpaca-py", "anthropic", "pyarrow", "aiohttp"}
    assert not names & forbidden
    rooms = {line.split("/")[-1] for line in done.stdout.splitlines() if line.startswith("-e")}
    assert rooms == {"gate", "runtime", "wire", "model"}
