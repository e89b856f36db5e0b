-- agg_genre_box_office is what fact_box_office says of the movies of each genre.
with genre_box_office as (

    select * from {{ ref('stg_agg_genre_box_office') }}

),

box_office as (

    select * from {{ ref('stg_fact_box_office') }}

),

movie_genres as (

    select * from {{ ref('stg_bridge_movie_genre') }}

),

earning as (

    select
        movie_genres.genre_id,
        box_office.revenue,
        box_office.revenue_real
    from movie_genres
    inner join box_office on movie_genres.tmdb_id = box_office.tmdb_id

),

-- One median per select: Redshift sorts a select's rows in one order only.
recomputed as (

    select
        genre_id,
        count(*) as movies,
        sum(revenue) as revenue,
        count(revenue_real) as adjustable,
        count(*) - count(revenue_real) as not_adjustable,
        sum(revenue_real) as revenue_real,
        percentile_cont(0.5) within group (order by cast(revenue as double precision)) as median_revenue
    from earning
    group by genre_id

),

recomputed_real as (

    select
        genre_id,
        percentile_cont(0.5) within group (order by cast(revenue_real as double precision)) as median_revenue_real
    from earning
    where revenue_real is not null
    group by genre_id

),

compared as (

    select
        coalesce(genre_box_office.genre_id, recomputed.genre_id) as genre_id,
        genre_box_office.movies as stored_movies,
        recomputed.movies as recomputed_movies,
        genre_box_office.revenue as stored_revenue,
        recomputed.revenue as recomputed_revenue,
        genre_box_office.adjustable as stored_adjustable,
        recomputed.adjustable as recomputed_adjustable,
        genre_box_office.not_adjustable as stored_not_adjustable,
        recomputed.not_adjustable as recomputed_not_adjustable,
        genre_box_office.revenue_real as stored_revenue_real,
        recomputed.revenue_real as recomputed_revenue_real,
        genre_box_office.median_revenue as stored_median_revenue,
        recomputed.median_revenue as recomputed_median_revenue,
        genre_box_office.median_revenue_real as stored_median_revenue_real,
        recomputed_real.median_revenue_real as recomputed_median_revenue_real
    from genre_box_office
    full outer join recomputed on genre_box_office.genre_id = recomputed.genre_id
    left join recomputed_real on recomputed.genre_id = recomputed_real.genre_id

)

{{ disagreements(
    'compared',
    'genre_id',
    exact=['movies', 'revenue', 'adjustable', 'not_adjustable', 'revenue_real'],
    close=['median_revenue', 'median_revenue_real']
) }}
