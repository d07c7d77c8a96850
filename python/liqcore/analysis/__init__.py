"""What is read off heatmaps: zones, what became of them, which of them attract, and which survive other assumptions."""

from .sensitivity import Survival
from .zones import Magnet, Sweep, Zone, Zones, magnets

__all__ = ["Magnet", "Survival", "Sweep", "Zone", "Zones", "magnets"]
