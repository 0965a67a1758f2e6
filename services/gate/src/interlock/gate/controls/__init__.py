"""The pre-trade controls, a family a file; `interlock.gate.controls.table` lists them all."""
