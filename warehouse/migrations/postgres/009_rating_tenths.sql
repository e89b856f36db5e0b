-- 26 million decimals: numbers of tenths are copied in three quarters of their time and added up in half of it.
-- marts.fact_rating has stars as before. Its readers wait until this is committed, some ten seconds for each kept version
-- of the full size, all of which are on the disk twice until then.

-- Readers queue behind who waits for a load: begun anew it stands in their way for short.
set local lock_timeout = '3s';
-- Rows stay in their order, by which the index of places goes.
set local synchronize_seqscans = off;

-- The column's type can be changed while no view reads it; those that read this view do not notice.
create or replace view marts.fact_rating as
select
    user_id,
    movie_id,
    tmdb_id,
    cast(null as decimal(2, 1)) as rating,
    rated_at
from gold.fact_rating;

alter table gold.fact_rating alter rating type smallint using cast(rating * 10 as smallint);
alter table gold.fact_rating rename rating to rating_tenths;
analyze gold.fact_rating;

create or replace view marts.fact_rating as
select
    user_id,
    movie_id,
    tmdb_id,
    cast(rating_tenths * 0.1 as decimal(2, 1)) as rating,
    rated_at
from gold.fact_rating
where
    run_key = (select current_facts.run_key from mart_versions.current_facts)
    and from_place <= (select current_facts.place from mart_versions.current_facts)
    and until_place > (select current_facts.place from mart_versions.current_facts);
