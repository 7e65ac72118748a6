"""Finding demos by entry points, in three grains; a broken plugin is a warning."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from studytool.demo import registry
from studytool.demo.spec import DemoInfo, DemoSpec, Params
from studytool.errors import ExitCode


def test_names_import_nothing(plugin: Path) -> None:
    assert {"skipgram", "clip", "quick", "broken-import"} <= set(registry.names())
    assert "fakedemos" not in sys.modules


def test_one_demo_loads_its_spec_and_not_its_run_module(plugin: Path) -> None:
    found = registry.load("quick")

    assert found.spec.info.title == "The quick demo"
    assert (found.target, found.distribution) == ("fakedemos.specs:QUICK", "fakedemos")
    assert "fakedemos.quick" not in sys.modules
    assert Path(found.root) == plugin


def test_an_unknown_demo_names_the_nearest_and_what_there_is(plugin: Path) -> None:
    with pytest.raises(registry.UnknownDemo) as caught:
        registry.load("quik")

    assert caught.value.exit_code is ExitCode.USAGE
    assert "'quik'" in caught.value.message
    assert caught.value.hint.startswith("Did you mean 'quick'? Installed: ")
    assert "skipgram" in caught.value.hint


def test_loading_a_broken_demo_names_its_distribution_and_the_reason(plugin: Path) -> None:
    with pytest.raises(
        registry.BrokenDemo, match=r"'broken-import' of fakedemos.*fakedemos.nowhere"
    ):
        registry.load("broken-import")


def test_broken_plugins_become_warnings_and_the_rest_is_there(plugin: Path) -> None:
    found = registry.load_all()

    assert {"skipgram", "clip", "quick", "spinner"} <= set(found.demos)
    warnings = "\n".join(found.warnings)
    assert "'broken-import' of fakedemos can't be loaded: ModuleNotFoundError" in warnings
    assert "'broken-kind' of fakedemos is not a valid demo: it is a str" in warnings
    assert "'broken-params' of fakedemos is not a valid demo: parameter 'table'" in warnings
    assert "'wrong-id' of fakedemos is not a valid demo: its id is 'another-id'" in warnings
    assert len(found.warnings) == 5


def test_a_plugin_can_not_take_the_place_of_a_built_in_demo(plugin: Path) -> None:
    found = registry.load_all()

    assert found.demos["skipgram"].distribution == "studytool"
    assert (
        "two demos are called 'skipgram': the one of studytool is used, the one of fakedemos is not"
    ) in found.warnings


def test_demos_are_ordered_by_chapter_and_id(plugin: Path) -> None:
    order = [(found.spec.info.chapter, found.id) for found in registry.load_all().demos.values()]

    assert order == sorted(order)


def test_what_is_missing_is_known_without_importing(plugin: Path) -> None:
    needy = registry.load("needy")

    assert not needy.installed
    assert needy.missing == ("package_that_is_not_there",)
    assert needy.install == "pip install 'fakedemos[all]'"
    assert registry.load("quick").installed


def test_the_command_for_a_built_in_demo_names_the_extra() -> None:
    assert registry.load("skipgram").install == "pip install 'studytool[demos]'"


def test_a_demo_tells_the_linter_its_claims_and_checks_params(plugin: Path) -> None:
    quick = registry.load("quick")

    assert quick.claims == frozenset({"steps-counted"})
    assert registry.load("spinner").claims is None
    assert quick.check_params({"steps": 3}) is None
    assert quick.check_params({"steps": 0}) == (
        "demo quick: steps = 0 is not allowed; it takes a whole number from 1 to 100"
    )


@pytest.mark.parametrize(
    ("spec", "reason"),
    [
        (DemoInfo("a", "A", "c", "s", "p", 1, "m"), "a DemoInfo, not a DemoSpec"),
        (
            DemoSpec(DemoInfo("Not_Kebab", "A", "c", "s", "p", 1, "m"), Params),
            "its id is 'Not_Kebab'",
        ),
        (
            DemoSpec(DemoInfo("a", "A", "c", "s", "p", 1, "m"), dict),  # type: ignore[type-var]
            "not a subclass of Params",
        ),
    ],
)
def test_a_spec_is_validated(spec: object, reason: str) -> None:
    assert reason in (registry.spec_fault(spec, "a") or "")


def test_the_catalogue_loads_neither_heavy_libraries_nor_demos() -> None:
    code = (
        "import sys, studytool.services.demos as d, studytool.cli.demo_live; d.catalogue();"
        "heavy = {'torch', 'numpy', 'matplotlib', 'numba', 'textual', 'sqlalchemy',"
        " 'demos.static.skipgram', 'demos.multimodal.clip'};"
        "print(sorted(heavy & set(sys.modules)))"
    )

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "[]"
