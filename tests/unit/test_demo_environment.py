"""The environment of a demo's process."""

from __future__ import annotations

from pathlib import Path

import pytest

from studytool.demo.environment import child_environment, is_secret


@pytest.mark.parametrize(
    "name",
    [
        "OPENAI_API_KEY",
        "GITHUB_TOKEN",
        "aws_secret_access_key",
        "PGPASSWORD",
        "STUDYTOOL_LLM_URL",
        "NPM_CONFIG__AUTH",
        "GOOGLE_APPLICATION_CREDENTIALS",
    ],
)
def test_secrets_are_known_by_name(name: str) -> None:
    assert is_secret(name)


@pytest.mark.parametrize("name", ["PATH", "HOME", "STUDYTOOL_HOME", "TOKENIZERS_PARALLELISM"])
def test_harmless_names_are_not_secret(name: str) -> None:
    assert not is_secret(name)


def test_threads_are_capped_the_network_is_off_and_secrets_are_gone(tmp_path: Path) -> None:
    base = {
        "PATH": "/bin",
        "MY_TOKEN": "x",
        "OMP_NUM_THREADS": "64",
        "PYTHONPATH": "plugins",
        "PYTHONSTARTUP": "evil.py",
    }

    made = child_environment(base, threads=2, cache=tmp_path)

    assert made["PATH"] == "/bin"
    assert made["PYTHONPATH"] == "plugins"
    assert "MY_TOKEN" not in made
    assert "PYTHONSTARTUP" not in made
    assert {made[name] for name in made if name.endswith("_NUM_THREADS")} == {"2"}
    assert made["VECLIB_MAXIMUM_THREADS"] == "2"
    assert made["HF_HUB_OFFLINE"] == "1"
    assert made["PYTHONHASHSEED"] == "0"
    assert made["OMP_WAIT_POLICY"] == "PASSIVE"
    assert base["OMP_NUM_THREADS"] == "64"
