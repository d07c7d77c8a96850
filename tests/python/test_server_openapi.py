"""What /openapi.json says is so: schemathesis asks by it, what it allows and what it does not."""

from typing import Any

import pytest

pytest.importorskip("msgspec")
pytest.importorskip("starlette")
pytest.importorskip("httpx")
pytest.importorskip("prometheus_client")
pytest.importorskip("nanoarrow")
pytest.importorskip("schemathesis")

import schemathesis
from hypothesis import HealthCheck, Phase, given, settings

from liqcore.config import Config
from markets import BTC
from serving import BYBIT, TRADES, Served

PATHS = ["/markets", "/heatmap", "/columns", "/pages", "/liquidations", "/map", "/zones", "/stops", "/cascade",
         "/features", "/news", "/holes", "/trades.arrow", "/health", "/metrics", "/openapi.json"]  # fmt: skip
REFUSED = ["400", "404", "409"]
EXAMPLES = {"ordinary": 12, "soak": 100}
"""Of each request, by the profile of property tests."""


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Served:
    names = {"requests": 1e9, "names": "testserver"}  # as schemathesis calls what it asks
    return Served(tmp_path_factory.mktemp("journals"), Config().replace(server=names), given=dict(TRADES))


@pytest.fixture(scope="module")
def document(served: Served) -> Any:
    # A URL may become too long whatever stands in it.
    expected = {"negative_data_rejection": REFUSED, "positive_data_acceptance": ["2xx", "404", "409"]}
    checks = {name: {"expected-statuses": [*statuses, "414"]} for name, statuses in expected.items()}
    config = schemathesis.Config.from_dict({"checks": checks, "request-timeout": 300})  # its own is 10 s
    return schemathesis.openapi.from_asgi("/openapi.json", served.app, config=config)


def asked_of_what_is_followed(case: Any) -> None:
    """Name markets that there are: others are refused before anything else is looked at."""
    names = case.query.get("market")
    known = [str(BTC), str(BYBIT)]
    if isinstance(names, list) and 1 <= len(names) <= 2 and all(":" in str(name) for name in names):
        case.query["market"] = known[: len(names)]
    elif isinstance(names, str) and ":" in names:
        case.query["market"] = known[0]


@pytest.mark.hypothesis
@pytest.mark.leaves_behind("schemathesis keeps a loop, and that its workers")
@pytest.mark.parametrize("mode", list(schemathesis.GenerationMode), ids=lambda mode: mode.value)
@pytest.mark.parametrize("path", PATHS)
def test_every_request_is_answered_as_the_document_says(document: Any, path: str, mode: Any) -> None:
    operation = document[path]["GET"]
    if mode == schemathesis.GenerationMode.NEGATIVE and not operation.query:
        pytest.skip("it takes no parameter that could be wrong")

    @settings(max_examples=EXAMPLES.get(settings.get_current_profile_name(), 12), deadline=None, database=None,
              phases=[Phase.generate], suppress_health_check=list(HealthCheck))  # fmt: skip
    @given(case=operation.as_strategy(generation_mode=mode))
    def ask(case: Any) -> None:
        if mode == schemathesis.GenerationMode.POSITIVE:
            asked_of_what_is_followed(case)
        case.call_and_validate()

    ask()


def test_all_paths_are_asked(document: Any) -> None:
    assert sorted(document.raw_schema["paths"]) == sorted(PATHS)
