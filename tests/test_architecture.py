"""The floors of docs/architecture.md: a floor imports, points at and migrates after the floors below it alone."""

import ast
from pathlib import Path

import pytest
from django.apps import apps
from django.db.migrations.loader import MigrationLoader

ROOT = Path(__file__).resolve().parent.parent
FLOORS = ["core", "grids", "partybuilding", "services", "governance"]
BELOW = {floor: set(FLOORS[: index + 1]) for index, floor in enumerate(FLOORS)}
FILES = sorted(path for floor in FLOORS for path in (ROOT / floor).rglob("*.py"))


def floor_of(module: str) -> str | None:
    head = module.split(".")[0]
    return head if head in BELOW else None


def module_of(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports_of(path: Path) -> set[str]:
    """Every module a file imports, wherever in the file the import stands."""
    found: set[str] = set()
    package = module_of(path) if path.name == "__init__.py" else module_of(path).rpartition(".")[0]
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                anchor = package.split(".")[: len(package.split(".")) - node.level + 1]
                base = ".".join([*anchor, *([node.module] if node.module else [])])
            found.add(base)
            found.update(f"{base}.{alias.name}" for alias in node.names)
    return found


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_floor_imports_only_floors_below_it(path: Path) -> None:
    own = path.relative_to(ROOT).parts[0]
    upward = {name for name in imports_of(path) if (floor := floor_of(name)) and floor not in BELOW[own]}
    assert not upward


def graph(floor: str, *, top_level_only: bool) -> dict[str, set[str]]:
    modules = {module_of(path): path for path in (ROOT / floor).rglob("*.py") if "migrations" not in path.parts}
    edges: dict[str, set[str]] = {}
    for name, path in modules.items():
        tree = ast.parse(path.read_text(encoding="utf-8"))
        if top_level_only:
            tree.body = [node for node in tree.body if not _typing_only(node)]
            for node in ast.walk(tree):
                if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                    node.body = [ast.Pass()]
        targets: set[str] = set()
        for node in ast.walk(tree):
            if isinstance(node, ast.Import):
                targets.update(alias.name for alias in node.names)
            elif isinstance(node, ast.ImportFrom) and node.module:
                whole = {f"{node.module}.{alias.name}" for alias in node.names}
                targets.update(whole & modules.keys() or {node.module})
        edges[name] = {target for target in targets & modules.keys() if target != name}
    return edges


def _typing_only(node: ast.stmt) -> bool:
    return isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)


@pytest.mark.parametrize("floor", FLOORS)
def test_no_circle_of_imports_inside_a_floor(floor: str) -> None:
    edges = graph(floor, top_level_only=True)
    state: dict[str, int] = {}

    def walk(name: str, trail: list[str]) -> None:
        if state.get(name) == 2:
            return
        assert state.get(name) != 1, " -> ".join([*trail, name])
        state[name] = 1
        for target in sorted(edges[name]):
            walk(target, [*trail, name])
        state[name] = 2

    for name in sorted(edges):
        walk(name, [])


def test_no_relation_points_to_a_floor_above() -> None:
    for model in apps.get_models():
        own = model._meta.app_label
        if own not in BELOW:
            continue
        for field in model._meta.get_fields():
            if field.auto_created or not field.is_relation or field.related_model in (None, "self"):
                continue
            target = floor_of(field.related_model.__module__)
            assert target is None or target in BELOW[own], f"{model.__name__}.{field.name}"


def test_no_migration_waits_for_a_floor_above() -> None:
    loader = MigrationLoader(None)
    for (app, name), migration in loader.disk_migrations.items():
        if app not in BELOW:
            continue
        upward = {target for target, _name in migration.dependencies if target in BELOW and target not in BELOW[app]}
        assert not upward, f"{app}.{name}"


def test_no_function_hides_an_import_of_its_own_house() -> None:
    """An import inside a function would hide an arrow. `ready()` of an app is where floors fill registries."""
    for path in FILES:
        if path.name == "apps.py":
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                continue
            for inner in ast.walk(node):
                if isinstance(inner, ast.ImportFrom) and inner.module and floor_of(inner.module):
                    raise AssertionError(f"{path.relative_to(ROOT)}:{inner.lineno} imports {inner.module}")


def test_files_stay_readable() -> None:
    long = {
        str(path.relative_to(ROOT)): lines
        for path in FILES
        if "migrations" not in path.parts and (lines := len(path.read_text(encoding="utf-8").splitlines())) > 500
    }
    assert not long
