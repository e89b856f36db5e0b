with rated_movies as (

    select * from {{ ref('rated_movie') }}

),

-- The mean is summed as a decimal, so that it does not depend on the order of the rows.
parameters as (

    select
        source,
        cast(sum(cast(mean as decimal(24, 15))) as double precision) / nullif(count(mean), 0) as c,
        percentile_cont(0.95) within group (order by cast(votes as double precision)) as m
    from rated_movies
    group by source

),

qualified as (

    select
        rated_movies.source,
        count(*) as movies
    from rated_movies
    inner join parameters on rated_movies.source = parameters.source
    where
        rated_movies.mean is not null
        and rated_movies.votes >= parameters.m
        and rated_movies.votes > 0
    group by rated_movies.source

)

select
    {{ run_id_literal() }} as run_id,
    parameters.source,
    parameters.c,
    parameters.m,
    cast(coalesce(qualified.movies, 0) as bigint) as qualified
from parameters
left join qualified on parameters.source = qualified.source
