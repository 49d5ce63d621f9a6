"""The drawings of all kinds; importing this package fills the register in `kinds`."""

from mmragbench.scenes.things import animals, buildings, flyers, food, household, plants, vehicles

__all__ = ["animals", "buildings", "flyers", "food", "household", "plants", "vehicles"]
