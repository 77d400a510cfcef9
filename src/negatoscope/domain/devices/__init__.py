"""The equipment around us: application entities and their rights."""

from negatoscope.domain.devices.ae import ApplicationEntity

__all__ = ["ApplicationEntity"]
