"""The rules of the house that a machine can keep: import order, light web processes, pins, documented settings."""

import json
import re
import subprocess
import sys
import tomllib
from itertools import pairwise
from pathlib import Path

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parent.parent
PINS = {name: (ROOT / "requirements" / f"{name}.txt").read_text() for name in ("run", "dev")}
PROJECT = (ROOT / "pyproject.toml").read_text()

# Run apart, as this process may have met numpy in another test.
WEB_PROCESS = """
import json, sys
from django.test import Client
from django.test.utils import setup_databases, setup_test_environment
import config.wsgi
from django.contrib import admin
from django.urls import get_resolver
from rest_framework.views import APIView

setup_test_environment()
setup_databases(verbosity=0, interactive=False, aliases={"default"})

def views(resolver):
    for entry in resolver.url_patterns:
        if hasattr(entry, "url_patterns"):
            yield from views(entry)
        else:
            yield entry.callback

found = list(views(get_resolver()))
admin.autodiscover()

from tests.admin_contract import sign_in_staff
from tests.factories import ListItemFactory, OfferFactory, PurchaseFactory

purchase = PurchaseFactory(member__is_staff=True, member__is_superuser=True)
ListItemFactory(member=purchase.member, product=purchase.product)
OfferFactory(product=purchase.product)
client = Client()
sign_in_staff(client, purchase.member)
paths = ("/", "/my-list/", "/orders/", "/admin/", "/api/v1/my-list/", "/api/schema/")
answers = {path: client.get(path).status_code for path in paths}
print(json.dumps({"views": len(found), "answers": answers, "modules": sorted(sys.modules)}))
"""


def test_lint_imports_keeps_every_contract():
    result = subprocess.run(
        [Path(sys.executable).with_name("lint-imports"), "--no-logo", "--no-cache"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stdout + result.stderr


def test_web_process_never_imports_the_engine_or_its_arrays(tmp_path):
    result = subprocess.run(
        [sys.executable, "-c", WEB_PROCESS],
        cwd=ROOT,
        env={
            "PATH": "/usr/bin:/bin",
            "LANG": "C.UTF-8",
            "DJANGO_SETTINGS_MODULE": "tests.settings",
            "MYLIST_DATA_DIR": str(tmp_path),
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    seen = json.loads(result.stdout.splitlines()[-1])
    assert seen["views"] > 50
    assert set(seen["answers"].values()) == {200}, seen["answers"]
    heavy = {"numpy", "scipy", "polars", "pandas", "pyarrow", "replenish"} & {
        name.partition(".")[0] for name in seen["modules"]
    }
    assert not heavy


@pytest.mark.parametrize("name", PINS)
def test_pins_name_no_host_and_carry_hashes(name):
    text = PINS[name]
    assert not re.search(r"https?:|file:|^\s*-", re.sub(r"--hash=sha256:", "", text), re.MULTILINE)
    for entry in re.split(r"\n(?=\S)", text.strip()):
        assert "==" in entry, entry
        assert "--hash=sha256:" in entry, entry


def pinned(name: str) -> dict[str, str]:
    """Distribution -> version, names in their normal form."""
    pairs = re.findall(r"^([A-Za-z0-9._-]+)==([^\s;]+)", PINS[name], re.MULTILINE)
    return {re.sub(r"[-_.]+", "-", distribution).lower(): version for distribution, version in pairs}


def test_development_pins_hold_the_versions_that_run():
    run, dev = pinned("run"), pinned("dev")
    assert {name: dev.get(name) for name in run} == run


def test_pins_meet_every_dependency_of_the_project():
    project = tomllib.loads(PROJECT)["project"]
    for pins, wanted in (
        (pinned("run"), project["dependencies"]),
        (pinned("dev"), project["optional-dependencies"]["dev"]),
    ):
        for line in wanted:
            requirement = Requirement(line)
            version = pins.get(re.sub(r"[-_.]+", "-", requirement.name).lower())
            assert version is not None, f"{line} is not pinned"
            assert requirement.specifier.contains(version), f"{line} is pinned at {version}"


def test_every_dependency_that_runs_has_its_reason_beside_it():
    block = re.search(r"^dependencies = \[\n(.*?)^\]", PROJECT, re.MULTILINE | re.DOTALL)
    assert block is not None
    for line in block.group(1).strip().splitlines():
        assert re.fullmatch(r'\s*"[^"]+",\s+# \S.*', line), f"no reason: {line}"


def test_env_example_names_every_variable_and_no_other():
    settings = (ROOT / "config" / "settings.py").read_text()
    run = (ROOT / "config" / "run.py").read_text()
    read = set(re.findall(r'\benv(?:\.\w+)?\(\s*"([A-Z_]+)"', settings))
    read |= set(re.findall(r'"([A-Z]+_[A-Z_]+)"', (ROOT / "config" / "elsewhere.py").read_text()))
    read |= set(re.findall(r'os\.environ\.get\("([A-Z_]+)"', run)) | {"WEB_CONCURRENCY"}
    example = (ROOT / ".env.example").read_text()
    assert set(re.findall(r"^#([A-Z_]+)=", example, re.MULTILINE)) == read


def test_env_example_says_a_sentence_about_every_variable():
    lines = (ROOT / ".env.example").read_text().splitlines()
    for before, line in pairwise(lines):
        if re.match(r"#[A-Z_]+=", line):
            assert before.startswith("# ") and before.endswith("."), f"nothing is said about {line}"
