{#
    A bit for each genre of the run, in two words; genres beyond them have none. A subquery rather than a model, and no
    window: Postgres reads what is referenced twice, or numbered by a window, on one processor.
#}
{% macro genre_bits() -%}
(
    select
        genre_id,
        case when place < 62 then cast(1 as bigint) << place else 0 end as low_bit,
        case when place between 62 and 123 then cast(1 as bigint) << (place - 62) else 0 end as high_bit
    from (
        select
            genres.genre_id,
            cast(count(smaller.genre_id) as int) as place
        from {{ source('gold', 'dim_genre') }} as genres
        left join {{ source('gold', 'dim_genre') }} as smaller
            on genres.run_id = smaller.run_id and genres.genre_id > smaller.genre_id
        where genres.{{ is_this_run() }}
        group by genres.genre_id
    ) as numbered
)
{%- endmacro %}
