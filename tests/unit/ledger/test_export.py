from datetime import UTC, datetime

import pyarrow.parquet as pq
from interlock.ledger.export import export_proposals
from interlock.testkit.desk_messages import judged
from interlock.wire.policy import FreezeReason, ProposalVerdict


def test_a_pair_of_files_a_day_and_parameter(tmp_path):
    rows = [
        judged(1, ProposalVerdict.ACCEPTED),
        judged(2, ProposalVerdict.FROZEN, freeze_reasons=[FreezeReason.BARS_STALE]),
        judged(3, parameter="../../up"),
        judged(86_401),
    ]
    written = export_proposals(rows, tmp_path, day_starts_at_utc_hour=0)
    assert [str(path.relative_to(tmp_path)) for path in written] == [
        "params/1970-01-01/%2E%2E%2F%2E%2E%2Fup.proposals.parquet",
        "params/1970-01-01/%2E%2E%2F%2E%2E%2Fup.applied.parquet",
        "params/1970-01-01/threshold_bps.proposals.parquet",
        "params/1970-01-01/threshold_bps.applied.parquet",
        "params/1970-01-02/threshold_bps.proposals.parquet",
        "params/1970-01-02/threshold_bps.applied.parquet",
    ]
    proposals = pq.ParquetFile(written[2]).read().to_pylist()
    applied = pq.ParquetFile(written[3]).read().to_pylist()
    assert [row["verdict"] for row in proposals] == ["accepted", "frozen"]
    assert [row["proposal_id"] for row in applied] == ["proposal-1"]
    assert proposals[1]["freeze_reasons"] == ["bars_stale"]
    assert proposals[0]["time"] == datetime(1970, 1, 1, 0, 0, 1, tzinfo=UTC)
    assert pq.ParquetFile(written[5]).read().num_rows == 0
