"""The journal and its keeper: positions, P&L, scorecard, exports."""
