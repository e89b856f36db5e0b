{#
    What speaks against columns being a key of a gold table within the run; no row when nothing does. Postgres enforces
    keys: the run's partition must have a valid unique index. Elsewhere the rows are compared, as is_key does.
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

with run_partition as (

    select parts.inhrelid
    from pg_inherits as parts
    inner join pg_class on parts.inhrelid = pg_class.oid
    where
        parts.inhparent = '{{ table }}'::regclass
        and pg_get_expr(pg_class.relpartbound, pg_class.oid) = format('FOR VALUES IN (%L)', {{ run_id_literal() }})

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
        and indexed.names = array['{{ columns | join("', '") }}']

)

select 'no unique index of {{ columns | join(", ") }}' as problem
where not exists (select from unique_index)

{% endmacro %}
