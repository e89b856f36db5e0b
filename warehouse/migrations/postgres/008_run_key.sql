-- 26 million times the same text: a row of fact_rating was a quarter run id. Its partitions are by a
-- number in place of it, and its columns stand so that none is padded. Two runs of one number, one pair
-- in two thousand million, cannot both have a partition: the later is refused, and the next run has another.

create function gold.run_key(run_id text) returns int
language sql immutable strict parallel safe
return ('x' || left(md5(run_id), 8))::bit(32)::int & 2147483647;

alter table gold.fact_rating rename to fact_rating_by_run_id;

create table gold.fact_rating (
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

create or replace view marts.fact_rating as
select
    user_id,
    movie_id,
    tmdb_id,
    rating,
    rated_at
from gold.fact_rating
where
    run_key = (select current_facts.run_key from mart_versions.current_facts)
    and from_place <= (select current_facts.place from mart_versions.current_facts)
    and until_place > (select current_facts.place from mart_versions.current_facts);

do $$
declare
    part record;
begin
    create temporary table moved on commit drop as
    select
        pg_class.relname as name,
        obj_description(pg_class.oid, 'pg_class') as comment,
        substring(pg_get_expr(pg_class.relpartbound, pg_class.oid) from '''(.*)''') as run_id,
        exists (select from pg_index where indrelid = pg_class.oid and indisunique) as has_key,
        to_regclass(format('gold.%I', pg_class.relname || '_places')) is not null as has_places
    from pg_inherits
    inner join pg_class on pg_inherits.inhrelid = pg_class.oid
    where pg_inherits.inhparent = 'gold.fact_rating_by_run_id'::regclass;

    for part in select * from moved loop
        execute format(
            'create table gold.%I (like gold.fact_rating including defaults, check (run_key = %s))',
            part.name || '_by_key', gold.run_key(part.run_id)
        );
        execute format(
            'insert into gold.%I select %s, user_id, movie_id, tmdb_id, rated_at, from_place, until_place, rating from gold.%I',
            part.name || '_by_key', gold.run_key(part.run_id), part.name
        );
    end loop;

    drop table gold.fact_rating_by_run_id cascade;

    for part in select * from moved loop
        execute format('alter table gold.%I rename to %I', part.name || '_by_key', part.name);
        execute format('alter table gold.%I alter run_key set default %s', part.name, gold.run_key(part.run_id));
        execute format('comment on table gold.%I is %L', part.name, part.comment);
        if part.has_key then
            execute format('create unique index on gold.%I (user_id, movie_id, until_place)', part.name);
        end if;
        if part.has_places then
            execute format(
                'create index %I on gold.%I using brin (from_place, until_place)', part.name || '_places', part.name
            );
        end if;
        execute format(
            'alter table gold.fact_rating attach partition gold.%I for values in (%s)',
            part.name, gold.run_key(part.run_id)
        );
        execute format('analyze gold.%I', part.name);
    end loop;
end $$;
