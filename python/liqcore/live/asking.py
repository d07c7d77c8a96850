"""Requests of a feed, within what its venue allows, and asked again where there is no answer that can be read."""

import random

from ..feeds.events import Frame, Notice, Told
from ..feeds.reading import Reader
from .feed import Request
from .outside import Clock, Network
from .pace import Allowance, BackOff, Steady
from .terms import Terms

_TRIES = 7  # within some fifteen seconds


class Unanswered(Exception):
    """A venue has not answered, or refused; the text says which."""


class Asking:
    """
    Asks a venue.

    Parameters
    ----------
    terms : Terms
    reader : Reader
    network : Network
    clock : Clock
    steady : Steady
        Says when an answer was received.
    chance : random.Random
        For waiting times.
    """

    def __init__(
        self, terms: Terms, reader: Reader, network: Network, clock: Clock, steady: Steady, chance: random.Random
    ) -> None:
        self._venue = terms.venue
        self._reader = reader
        self._network = network
        self._clock = clock
        self._steady = steady
        self._chance = chance
        self._may_ask = Allowance(clock, terms.limits.requests_a_minute, 60.0)

    async def ask(self, request: Request) -> tuple[Frame, list[Told]]:
        """Ask until there is an answer that can be read; raises Unanswered."""
        back_off = BackOff(self._chance)
        why = ""
        for attempt in range(_TRIES):
            if attempt:
                await self._clock.sleep(back_off.next())
            await self._may_ask.take()
            try:
                if request.body is None:
                    body = await self._network.get(request.url)
                else:
                    body = await self._network.post(request.url, request.body)
            except ConnectionError as error:
                why = str(error) or "no answer"
                continue
            frame = Frame(self._steady.now(), self._venue, request.source, body)
            read = self._reader.read(frame)
            bad = [one for one in read if isinstance(one, Notice)]
            if not bad or len(bad) < len(read):
                return frame, read
            why = f"{bad[0].about}: {bad[0].text}"
        raise Unanswered(why)
