-- No join of a mart loses or doubles a row.
with mart_rows as (

    select
        source as mart,
        count(*) as row_count
    from {{ ref('highest_rated') }}
    where {{ is_this_run() }}
    group by source

    union all

    select
        'popular_genres' as mart,
        count(*) as row_count
    from {{ ref('popular_genres') }}
    where {{ is_this_run() }}

    union all

    select
        'release_timing' as mart,
        count(*) as row_count
    from {{ ref('release_timing') }}
    where {{ is_this_run() }}

    union all

    select
        'genre_revenue' as mart,
        count(*) as row_count
    from {{ ref('genre_revenue') }}
    where {{ is_this_run() }}

),

gold_rows as (

    select
        source as mart,
        qualified as row_count
    from {{ ref('highest_rated_parameters') }}
    where {{ is_this_run() }}

    union all

    select
        'popular_genres' as mart,
        count(*) as row_count
    from {{ ref('stg_dim_genre') }}

    union all

    select
        'release_timing' as mart,
        count(*) as row_count
    from {{ ref('stg_agg_release_period') }}

    union all

    select
        'genre_revenue' as mart,
        count(*) as row_count
    from {{ ref('stg_agg_genre_box_office') }}

),

compared as (

    select
        coalesce(mart_rows.mart, gold_rows.mart) as mart,
        mart_rows.row_count as stored_rows,
        gold_rows.row_count as recomputed_rows
    from mart_rows
    full outer join gold_rows on mart_rows.mart = gold_rows.mart

)

{{ disagreements('compared', 'mart', exact=['rows']) }}
