"""What runs told beside their logs, as programs see it."""

from schedulerd.domain.told import KeptArtifact
from schedulerd.operations.shapes import Shape, time_text


def artifact_shape(kept: KeptArtifact) -> Shape:
    """An artifact."""
    artifact = kept.artifact
    return {
        "id": str(artifact.id),
        "key": artifact.key or None,
        "kind": artifact.kind.value,
        "description": artifact.description,
        "task": artifact.task,
        "created_at": time_text(kept.created_at),
        "changed_at": time_text(artifact.at),
        "data": artifact.data,
    }
