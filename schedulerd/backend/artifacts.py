"""Artifacts, where Prefect 1 has them; the ids that these return are texts."""

from schedulerd.authoring.artifacts import link_id as create_link
from schedulerd.authoring.artifacts import link_id as create_link_artifact
from schedulerd.authoring.artifacts import markdown_id as create_markdown
from schedulerd.authoring.artifacts import markdown_id as create_markdown_artifact

__all__ = ["create_link", "create_link_artifact", "create_markdown", "create_markdown_artifact"]
