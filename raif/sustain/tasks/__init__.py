"""Tasks with a ground truth in three domains: mathematics, multi-hop questions, programs."""

from raif.sustain.tasks.loading import TaskSetRead, load_tasks, read_task_set
from raif.sustain.tasks.sets import TASK_SETS

__all__ = ["TASK_SETS", "TaskSetRead", "load_tasks", "read_task_set"]
