-- 26 million times the same text: a quarter of fact_rating was run ids. Its partitions are by a number in
-- place of it, and its columns stand so that none is padded. Runs of one number, one pair in two thousand
-- million, cannot both have a partition: the later of them fails, and a new run has another number.

create function gold.run_key(run_id text) returns int
language sql immutable strict parallel safe
return ('x' || left(md5(run_id), 8))::bit(32)::int & 2147483647;

create table gold.fact_rating_by_key (
    run_key int not null,
    user_id int not null,
    movie_id int not null,
    tmdb_id int,
    rated_at timestamp,
    from_place smallint not null default 0,
    until_place smallint not null default 32767,
    rating decimal(2, 1)
) partition by list (run_key);

create or replace view mart_versions.current_facts as
select
    coalesce(shared_facts.facts_run_id, current.run_id) as run_id,
    coalesce(shared_facts.place, 0) as place,
    gold.run_key(coalesce(shared_facts.facts_run_id, current.run_id)) as run_key
from marts.current
left join mart_versions.shared_facts on current.run_id = shared_facts.run_id;

-- Only the ratings of what is published are copied: of each version it would take as long as to load all anew,
-- and room for all of them twice. The others are gone, and going back to one of them is refused.
do $$
declare
    part record;
begin
    lock table gold.fact_rating in share mode;
    -- Rows stay in their order, by which the index of places finds them.
    set local synchronize_seqscans = off;

    select
        pg_class.oid as id,
        pg_class.relname as name,
        obj_description(pg_class.oid, 'pg_class') as comment,
        gold.run_key(current_facts.run_id) as run_key,
        to_regclass(format('gold.%I', pg_class.relname || '_places')) is not null as has_places
    into part
    from mart_versions.current_facts
    inner join pg_inherits on pg_inherits.inhparent = 'gold.fact_rating'::regclass
    inner join pg_class on pg_inherits.inhrelid = pg_class.oid
    where pg_get_expr(pg_class.relpartbound, pg_class.oid) = format('FOR VALUES IN (%L)', current_facts.run_id);

    if part.id is not null then
        execute format(
            'create table gold.fact_rating_part (like gold.fact_rating_by_key including defaults, check (run_key = %s))',
            part.run_key
        );
        execute format('alter table gold.fact_rating_part alter run_key set default %s', part.run_key);
        execute format(
            'insert into gold.fact_rating_part select %s, user_id, movie_id, tmdb_id, rated_at, from_place, until_place, rating from gold.%I',
            part.run_key, part.name
        );
        execute format('comment on table gold.fact_rating_part is %L', part.comment);
        if exists (select from pg_index where indrelid = part.id and indisunique) then
            create unique index on gold.fact_rating_part (user_id, movie_id, until_place);
        end if;
        analyze gold.fact_rating_part;
    end if;

    -- From here on readers wait, in the order in which they take the view and its table.
    create or replace view marts.fact_rating as
    select
        user_id,
        movie_id,
        tmdb_id,
        rating,
        rated_at
    from gold.fact_rating_by_key
    where
        run_key = (select current_facts.run_key from mart_versions.current_facts)
        and from_place <= (select current_facts.place from mart_versions.current_facts)
        and until_place > (select current_facts.place from mart_versions.current_facts);

    drop table gold.fact_rating;
    alter table gold.fact_rating_by_key rename to fact_rating;

    if part.id is not null then
        execute format('alter table gold.fact_rating_part rename to %I', part.name);
        if part.has_places then
            execute format(
                'create index %I on gold.%I using brin (from_place, until_place)', part.name || '_places', part.name
            );
        end if;
        execute format(
            'alter table gold.fact_rating attach partition gold.%I for values in (%s)', part.name, part.run_key
        );
    end if;
end $$;
