"""A log-linear model, fitted day by day on what came before."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .amounts import Floats, Ints

PENALTIES = 4.0 ** np.arange(6)
"""Of the ridge, in cases: 1 to 1,024. The one that generalised cross-validation on the training cases finds best."""


@dataclass(frozen=True, slots=True, eq=False)
class Forecast:
    """Predictions of the cases of the test days: of the log, and their standard deviation while fitted."""

    mean: Floats
    spread: Floats


def walk_forward(features: Floats, truth: Floats, day: Ints, first_test: int, prior: Floats | None = None) -> Forecast:
    """
    Predict each day's cases from a ridge fitted on all the days before it.

    Parameters
    ----------
    features : ndarray of float64, shape (cases, n)
        Standardised on the training days; a constant is added.
    truth : ndarray of float64, shape (cases,)
    day : ndarray of int64, shape (cases,)
        Number of the case's day, rising.
    first_test : int
        The first day that is predicted; days before it only train.
    prior : ndarray of float64, shape (n, n), optional
        Covariance of the coefficients of the standardised features before anything is seen, up to a factor, which the
        penalty is. By default the identity, a plain ridge.

    Returns
    -------
    Forecast
        Of all cases; NaN on days that only train.
    """
    table = np.column_stack((np.ones(len(truth)), features, truth))
    edges = np.searchsorted(day, np.arange(day[-1] + 2))
    moments = np.zeros((table.shape[1],) * 2)
    mean, spread = np.full(len(truth), np.nan), np.full(len(truth), np.nan)
    for today in range(int(day[-1]) + 1):
        rows = slice(edges[today], edges[today + 1])
        if today >= first_test and rows.stop > rows.start:
            coefficients, spread[rows] = ridge(moments, prior)
            mean[rows] = table[rows, :-1] @ coefficients
        moments += table[rows].T @ table[rows]
    return Forecast(mean, spread)


def ridge(moments: Floats, prior: Floats | None = None) -> tuple[Floats, float]:
    """Solve from sums of products (constant first, truth last): coefficients, and the residuals' deviation."""
    return (found := solved(moments, prior)).coefficients, found.spread


@dataclass(frozen=True, slots=True, eq=False)
class Solved:
    """
    A ridge as it was solved.

    Attributes
    ----------
    coefficients : ndarray of float64, shape (n + 1,)
        Constant and slopes.
    spread : float
        Deviation of the residuals.
    penalty : float
        In cases.
    used : ndarray of bool, shape (n,)
        Which features vary.
    inner : ndarray of float64, shape (used, used)
        Correlations of the features.
    shrinkage : ndarray of float64, shape (used, used)
        What the fit makes of slopes of standardised features: fitted = shrinkage @ true, on average. Its trace is the
        effective number of coefficients.
    """

    coefficients: Floats
    spread: float
    penalty: float
    used: NDArray[np.bool_]
    inner: Floats
    shrinkage: Floats


def solved(moments: Floats, prior: Floats | None = None) -> Solved:
    """Solve a ridge from sums of products (constant first, truth last), and say how; see `walk_forward`."""
    cases = moments[0, 0]
    centre = moments[0] / cases
    covariance = moments / cases - np.outer(centre, centre)
    scale = np.sqrt(np.maximum(np.diag(covariance)[1:-1], 0.0))
    used = scale > 1e-9
    inner = covariance[1:-1, 1:-1][np.ix_(used, used)] / np.outer(scale[used], scale[used])
    target = covariance[1:-1, -1][used] / scale[used]
    # Coefficients are root @ others, whose prior is the identity.
    root = np.eye(int(used.sum())) if prior is None else np.linalg.cholesky(prior[np.ix_(used, used)])
    values, vectors = np.linalg.eigh(root.T @ inner @ root)
    along = vectors.T @ (root.T @ target)
    damped = values + PENALTIES[:, None] / cases
    shrunk = along / damped  # a row for each penalty
    left = covariance[-1, -1] - 2 * shrunk @ along + (shrunk**2) @ values  # mean of squares
    fitted = 1.0 + (values / damped).sum(1)  # effective number of coefficients
    best = int(np.argmin(left / np.maximum(1.0 - fitted / cases, 1e-6) ** 2))
    slopes = np.zeros(len(scale))
    slopes[used] = root @ (vectors @ shrunk[best]) / scale[used]
    constant = centre[-1] - centre[1:-1] @ slopes
    shrinkage = root @ (vectors / damped[best]) @ vectors.T @ root.T @ inner
    spread = float(np.sqrt(max(left[best], 1e-12)))
    coefficients = np.concatenate(([constant], slopes))
    return Solved(coefficients, spread, float(PENALTIES[best]), used, inner, shrinkage)
