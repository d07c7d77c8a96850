"""The requests of the API: what each is asked with, what it is answered, and from what the answer is made."""

import zlib
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import msgspec
from anyio import CapacityLimiter
from starlette.concurrency import iterate_in_threadpool
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from ..config.config import Config
from ..errors import DataError
from ..history.shown import CELL_BYTES
from ..live.board import Board, Moment
from ..live.following import Following
from ..live.outside import Files
from . import forms, pictures, scenarios, told, trades
from .metrics import TYPE as METRICS_TYPE
from .metrics import Metrics
from .once import Once
from .paging import Pages, version
from .refused import RefusedError
from .selection import Picture, Selection, boards_of, number_or_text, read

T = TypeVar("T", bound=msgspec.Struct)
SMALLEST_PACKED = 1_024
"""Bytes of an answer from which on it is packed, where the client takes it."""
FRAME = "application/octet-stream"
EARLIER_BYTES = 64 << 20
"""Of pages of earlier columns that are kept, as they are sent."""
STREAMS = 4
"""Streams of trades at once."""


@dataclass(frozen=True, slots=True)
class Route:
    """
    A request.

    Attributes
    ----------
    path : str
    summary : str
        What it is answered, in a sentence.
    asked : type
        The form of its parameters.
    answer : type or str
        The form of the answer, or the media type of what is no JSON.
    endpoint : async callable
    """

    path: str
    summary: str
    asked: type[msgspec.Struct]
    answer: type[msgspec.Struct] | str
    endpoint: Callable[[Request], Any]


class Api:
    """
    Answers requests out of what is followed.

    Parameters
    ----------
    following : Following
    config : Config
    files : Files
    free : callable
        Tells how many bytes a folder's disk has left.
    metrics : Metrics
    once : Once

    Attributes
    ----------
    paged : Pages
        Of earlier columns.
    """

    def __init__(
        self,
        following: Following,
        config: Config,
        *,
        files: Files,
        free: Callable[[Path], int],
        metrics: Metrics,
        once: Once,
    ) -> None:
        self._following = following
        self._config = config
        self._files = files
        self._free = free
        self._metrics = metrics
        self._once = once
        self._earlier = Once(EARLIER_BYTES, threads=1)  # a far page takes long: other answers do not wait for it
        self.paged = Pages(config.server)
        self._asked_at: dict[str | None, int] = {}
        self._streams = CapacityLimiter(STREAMS)
        self.document: dict[str, Any] = {}

    @property
    def routes(self) -> tuple[Route, ...]:
        """All of them."""
        f = forms
        return (
            Route("/markets", "Markets that are followed, with their streams.",
                  f.NothingAsked, f.MarketsAnswer, self.markets),
            Route("/heatmap", "Live levels by time and price.", f.HeatmapAsked, f.HeatmapAnswer, self.heatmap),
            Route("/columns", "Columns of a heatmap that have ended or changed since an answer before.",
                  f.ColumnsAsked, f.HeatmapAnswer, self.columns),
            Route("/pages", "256 earlier columns at a level of detail, as a frame of the websocket's form.",
                  f.PageAsked, FRAME, self.pages),
            Route("/liquidations", "Latest liquidations that venues told of, one by one, as such a frame.",
                  f.LiquidationsAsked, FRAME, self.liquidations),
            Route("/map", "Live levels of one instant by price and tier of leverage.",
                  f.MapAsked, f.MapAnswer, self.map),
            Route("/zones", "Zones of one instant: neighbouring bins that hold much.",
                  f.ZonesAsked, f.ZonesAnswer, self.zones),
            Route("/cascade", "What a move of the price would set off: a scenario, no forecast.",
                  f.CascadeAsked, f.CascadeAnswer, self.cascade),
            Route("/stops", "Places for a stop beyond clusters of levels: scenarios, no forecasts.",
                  f.StopsAsked, f.StopsAnswer, self.stops),
            Route("/features", "What a strategy reads, of each market.",
                  f.FeaturesAsked, f.FeaturesAnswer, self.features),
            Route("/news", "What has happened: windows that ended, zones, liquidations, gaps.",
                  f.NewsAsked, f.NewsAnswer, self.news),
            Route("/holes", "Holes in streams.", f.HolesAsked, f.HolesAnswer, self.holes),
            Route("/trades.arrow", "Trades of the journal: an Arrow stream of ts, price, qty, side.",
                  f.TradesAsked, trades.TYPE, self.trades),
            Route("/health", "Whether all is well: 503 and reasons where it is not.",
                  f.NothingAsked, f.HealthAnswer, self.health),
            Route("/metrics", "Numbers for Prometheus.", f.NothingAsked, "text/plain", self.metrics),
            Route("/openapi.json", "This document.", f.NothingAsked, "application/json", self.openapi),
        )  # fmt: skip

    # --- of pictures ---

    async def heatmap(self, request: Request) -> Response:
        """Answer /heatmap."""
        asked = _read(forms.HeatmapAsked, request)
        return await self._of_picture(request, asked, asked, lambda seen: pictures.heatmap(asked, seen))

    async def columns(self, request: Request) -> Response:
        """Answer /columns."""
        asked = _read(forms.ColumnsAsked, request)
        return await self._of_picture(request, asked, asked, lambda seen: pictures.columns(asked, seen))

    async def map(self, request: Request) -> Response:
        """Answer /map."""
        asked = _read(forms.MapAsked, request)
        return await self._of_picture(request, asked, asked, lambda seen: pictures.liquidation_map(asked, seen))

    async def pages(self, request: Request) -> Response:
        """Answer /pages."""
        asked = _read(forms.PageAsked, request)
        moments = Selection(market=asked.market).moments(self._moments(asked.model))
        boards = self._boards(moments, asked.model)
        key = "page", asked, version(asked, moments)
        return await self._framed(request, key, lambda: self.paged.page(asked, moments, boards), self._earlier)

    async def zones(self, request: Request) -> Response:
        """Answer /zones: the threshold is theirs, not one of the heatmap that they are of."""
        asked = _read(forms.ZonesAsked, request)
        shown = msgspec.structs.replace(asked, threshold=None)
        limit = None if asked.threshold is None else number_or_text(asked.threshold)
        return await self._of_picture(request, asked, shown, lambda seen: pictures.zones(asked, limit, seen))

    async def cascade(self, request: Request) -> Response:
        """Answer /cascade."""
        asked = _read(forms.CascadeAsked, request)
        return await self._of_picture(request, asked, asked, lambda seen: scenarios.cascade(asked, seen))

    async def stops(self, request: Request) -> Response:
        """Answer /stops: the threshold is that of clusters, as that of /zones."""
        asked = _read(forms.StopsAsked, request)
        shown = msgspec.structs.replace(asked, threshold=None)
        limit = None if asked.threshold is None else number_or_text(asked.threshold)
        return await self._of_picture(request, asked, shown, lambda seen: scenarios.stops(asked, limit, seen))

    async def _of_picture(
        self, request: Request, asked: Selection, shown: Selection, make: Callable[[pictures.Seen], msgspec.Struct]
    ) -> Response:
        """Answer with what is made of a picture; picture, answer and its packed form are made once each."""
        selection = Selection(**{name: getattr(shown, name) for name in Selection.__struct_fields__})
        moments = selection.moments(self._moments(selection.model))
        number = tuple((moment.number, len(moment.holes)) for moment in moments)
        picture = await self._once.get(
            ("picture", selection, number),
            lambda: selection.picture(moments, self._config.server),
            _picture_bytes,
        )
        boards = self._boards(moments, selection.model)
        seen = pictures.Seen(picture, moments, boards, self._following.source)
        return await self._answer(request, (request.url.path, asked, number), lambda: make(seen))

    async def _framed(self, request: Request, key: Hashable, make: Callable[[], bytes], once: Once) -> Response:
        """Answer with a frame; whoever has it already is told no more than that."""
        made = await once.get(key, lambda: _Tagged.of(make()), lambda tagged: len(tagged.body))
        headers = {"etag": made.tag, "cache-control": "private, no-cache"}
        if request.headers.get("if-none-match") == made.tag:
            return Response(status_code=304, headers=headers)
        return Response(made.body, headers=headers, media_type=FRAME)

    async def _answer(self, request: Request, key: Hashable, make: Callable[[], msgspec.Struct]) -> Response:
        body = await self._once.get(key, lambda: _ENCODER.encode(make()), len)
        headers = {"vary": "Accept-Encoding"}
        if len(body) >= SMALLEST_PACKED and _takes_gzip(request):
            body = await self._once.get(("gzip", key), lambda: _packed(body), len)
            headers["content-encoding"] = "gzip"
        return Response(body, headers=headers, media_type="application/json")

    def _moments(self, model: str | None = None) -> dict[str, Moment | None]:
        """What markets have published last; now and then they are asked for what is new."""
        boards = boards_of(self._following, model)
        now, asked_at = self._following.clock.elapsed(), self._asked_at.get(model)
        if asked_at is None or now - asked_at >= 1e9 / self._config.server.updates:
            self._asked_at[model] = now
            for board in boards.values():
                board.ask()
        return {name: board.moment() for name, board in boards.items()}

    def _boards(self, moments: Sequence[Moment], model: str | None) -> list[Board]:
        return [self._following.of(model)[moment.market] for moment in moments]

    # --- of markets ---

    async def markets(self, request: Request) -> Response:
        """Answer /markets."""
        _read(forms.NothingAsked, request)
        return _json(told.markets(self._following, self._moments()))

    async def features(self, request: Request) -> Response:
        """Answer /features."""
        asked = _read(forms.FeaturesAsked, request)
        moments = self._moments(asked.model)
        names = asked.market or tuple(moments)
        self._check_markets(names, moments)
        of = {name: moment for name in names if (moment := moments[name]) is not None}
        return _json(pictures.features(of))

    async def news(self, request: Request) -> Response:
        """Answer /news."""
        asked = _read(forms.NewsAsked, request)
        self._check_markets(asked.market, self._moments())
        return _json(await self._once.run(lambda: told.news(asked, self._following)))

    async def liquidations(self, request: Request) -> Response:
        """Answer /liquidations."""
        asked = _read(forms.LiquidationsAsked, request)
        self._check_markets(asked.market, self._moments())
        boards = [board for market, board in self._following.boards.items()
                  if not asked.market or str(market) in asked.market]  # fmt: skip
        key = "liquidations", asked, tuple(board.told("liquidation") for board in boards)
        return await self._framed(request, key, lambda: told.liquidations(boards, asked), self._once)

    async def holes(self, request: Request) -> Response:
        """Answer /holes."""
        asked = _read(forms.HolesAsked, request)
        self._check_markets(asked.market, self._moments())
        return _json(await self._once.run(lambda: told.holes(asked, self._following)))

    def _check_markets(self, names: tuple[str, ...], known: Mapping[str, object]) -> None:
        for name in names:
            if name not in known:
                raise RefusedError.broken("market", "must be one that is followed (/markets lists them)", name, 404)

    async def trades(self, request: Request) -> Response:
        """Answer /trades.arrow."""
        asked = _read(forms.TradesAsked, request)
        self._check_markets((asked.market,), self._moments())
        trades.span(asked)
        try:
            self._streams.acquire_on_behalf_of_nowait(request)
        except BaseException:
            raise RefusedError(503, f"at most {STREAMS} streams of trades at once", after_s=1) from None
        try:
            reader = await self._once.run(lambda: trades.opened(asked, self._following.folder, self._files))
        except BaseException as error:
            self._streams.release_on_behalf_of(request)
            if isinstance(error, DataError | OSError):
                raise RefusedError(409, "the journal of this market cannot be read") from None
            raise
        return StreamingResponse(self._stream(request, asked, reader), media_type=trades.TYPE)

    async def _stream(self, request: Request, asked: forms.TradesAsked, reader: Any) -> Any:
        try:
            async for piece in iterate_in_threadpool(trades.pieces(asked, reader)):
                yield piece
        finally:
            self._streams.release_on_behalf_of(request)
            if reader is not None:
                reader.close()

    # --- of the server ---

    async def health(self, request: Request) -> Response:
        """Answer /health."""
        _read(forms.NothingAsked, request)
        least = self._config.server.free << 20
        found = await self._once.run(lambda: told.health(self._following, self._free, least))
        return _json(found, 200 if found.ok else 503)

    async def metrics(self, request: Request) -> Response:
        """Answer /metrics."""
        _read(forms.NothingAsked, request)
        return Response(await self._once.run(self._metrics.text), media_type=METRICS_TYPE)

    async def openapi(self, request: Request) -> Response:
        """Answer /openapi.json."""
        _read(forms.NothingAsked, request)
        return Response(msgspec.json.encode(self.document), media_type="application/json")


class _Tagged(NamedTuple):
    """A frame, and what tells it from others."""

    body: bytes
    tag: str

    @classmethod
    def of(cls, body: bytes) -> "_Tagged":
        return cls(body, f'"{blake2b(body, digest_size=12).hexdigest()}"')


_ENCODER = msgspec.json.Encoder()


def _read(kind: type[T], request: Request) -> T:
    return read(kind, request.query_params.multi_items())


def _json(answer: msgspec.Struct, status: int = 200) -> Response:
    return Response(_ENCODER.encode(answer), status, media_type="application/json")


def _picture_bytes(picture: Picture) -> int:
    heatmap = picture.heatmap
    return 65_536 + CELL_BYTES * len(heatmap.times) * len(heatmap.prices)


def _takes_gzip(request: Request) -> bool:
    for one in request.headers.get("accept-encoding", "").split(","):
        name, _, quality = one.partition(";")
        if name.strip().lower() == "gzip":
            return quality.replace(" ", "") not in ("q=0", "q=0.0", "q=0.00", "q=0.000")
    return False


def _packed(body: bytes) -> bytes:
    return zlib.compress(body, 1, zlib.MAX_WBITS | 16)
