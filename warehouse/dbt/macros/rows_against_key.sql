{#
    What speaks against columns being a key of the run's ratings; no row when nothing does. Postgres enforces keys: the
    partition must have a valid unique index, which has the place until which a row counts too: of two rows of a key one
    ends where the other begins, or before. Elsewhere the rows are compared, as is_key does.
#}
{% macro default__rows_against_key(model, table, columns) %}

select
    {{ columns | join(', ') }},
    count(*) as row_count
from {{ model }}
group by {{ columns | join(', ') }}
having count(*) > 1

{% endmacro %}

{% macro postgres__rows_against_key(model, table, columns) %}
{%- set facts = facts_of_run() %}

with run_partition as (

    select parts.inhrelid
    from pg_inherits as parts
    inner join pg_class on parts.inhrelid = pg_class.oid
    where
        parts.inhparent = '{{ table }}'::regclass
        and pg_get_expr(pg_class.relpartbound, pg_class.oid) = format('FOR VALUES IN (%s)', gold.run_key('{{ facts.run_id }}'))

),

unique_index as (

    select pg_index.indrelid
    from pg_index
    inner join run_partition on pg_index.indrelid = run_partition.inhrelid
    cross join
        lateral (
            select
                array_agg(pg_attribute.attname::text order by places.place) as names,
                bool_and(pg_attribute.attnotnull) as are_not_null
            from unnest(pg_index.indkey) with ordinality as places (attnum, place)
            inner join pg_attribute
                on pg_attribute.attrelid = pg_index.indrelid and pg_attribute.attnum = places.attnum
        ) as indexed
    where
        pg_index.indisunique
        and pg_index.indisvalid
        and pg_index.indpred is null
        and indexed.are_not_null
        and indexed.names = array['{{ columns | join("', '") }}', 'until_place']

)

select 'no unique index of {{ columns | join(", ") }}' as problem
where not exists (select from unique_index)

{% endmacro %}
