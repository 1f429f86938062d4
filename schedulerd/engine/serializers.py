"""How kept results become bytes, under Prefect 1's names: `LocalResult(serializer=JSONSerializer())`."""

from schedulerd.authoring.kept_results import JSONSerializer, PickleSerializer

__all__ = ["JSONSerializer", "PickleSerializer"]
