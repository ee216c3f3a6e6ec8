"""Covariances and their geometry, as pyRiemann computes them."""

from peers import Comparison, Data, case
from pyriemann.estimation import Covariances


@case("covariance_oas/288x22ch-750", target=5.0)
def oas(data: Data) -> Comparison:
    x = data.epochs(288, 22, 750)
    estimate = Covariances("oas")
    return Comparison("covariance_oas", [x], {"pyRiemann": lambda: estimate.transform(x)})
