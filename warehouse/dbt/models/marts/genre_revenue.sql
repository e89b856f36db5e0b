with genres as (

    select * from {{ ref('stg_dim_genre') }}

),

genre_box_office as (

    select * from {{ ref('stg_agg_genre_box_office') }}

),

genre_votes as (

    select * from {{ ref('stg_agg_genre_rating') }}

)

select
    {{ run_id_literal() }} as run_id,
    cast(
        row_number() over (
            order by
                coalesce(genre_box_office.revenue_real, 0) desc,
                genre_votes.tmdb_votes desc,
                genres.name asc
        )
        as int
    ) as rank,
    genres.name as genre,
    genre_box_office.movies,
    genre_box_office.revenue,
    genre_box_office.median_revenue,
    genre_box_office.not_adjustable,
    genre_box_office.revenue_real,
    genre_box_office.median_revenue_real
from genre_box_office
inner join genres on genre_box_office.genre_id = genres.genre_id
inner join genre_votes on genre_box_office.genre_id = genre_votes.genre_id
