-- Records that were repaired after their source rows became dead letters: silver = bronze + repaired
-- - dropped, and each repaired record is besides among the dead letters that it came from.

alter table mart_versions.run_counts add column repaired bigint not null default 0;

create or replace view marts.run_counts as
select
    dataset,
    source_rows,
    dead_letters,
    bronze,
    silver,
    dropped,
    repaired
from mart_versions.run_counts
where run_id = (select current.run_id from marts.current);
