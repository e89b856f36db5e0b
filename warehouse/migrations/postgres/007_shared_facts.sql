-- A run that appends shares the ratings of the run before: its own are put into the same partition, in a
-- place behind. Of what its rows replace nothing is deleted: it is the other run's until that place. So
-- a run's ratings are those from its place or before that are not replaced until its place.

alter table gold.fact_rating
add column from_place smallint not null default 0,
add column until_place smallint not null default 32767;

-- In which run's partition the ratings of a run are, and up to which place. A run without a row has a
-- partition of its own, in which it is first.
create table mart_versions.shared_facts (
    run_id text primary key,
    facts_run_id text not null,
    place smallint not null
);

create view mart_versions.current_facts as
select
    coalesce(shared_facts.facts_run_id, current.run_id) as run_id,
    coalesce(shared_facts.place, 0) as place
from marts.current
left join mart_versions.shared_facts on current.run_id = shared_facts.run_id;

create or replace view marts.fact_rating as
select
    user_id,
    movie_id,
    tmdb_id,
    rating,
    rated_at
from gold.fact_rating
where
    run_id = (select current_facts.run_id from mart_versions.current_facts)
    and from_place <= (select current_facts.place from mart_versions.current_facts)
    and until_place > (select current_facts.place from mart_versions.current_facts);
