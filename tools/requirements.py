"""Print the requirements of the package and of some of its extras, as pyproject.toml lists them."""

import sys
import tomllib
from pathlib import Path

project = tomllib.loads((Path(__file__).resolve().parents[1] / "pyproject.toml").read_text())["project"]
for requirement in project["dependencies"] + [
    r for extra in sys.argv[1:] for r in project["optional-dependencies"][extra]
]:
    print(requirement)
