select
    source,
    c,
    m,
    qualified
from marts.highest_rated_parameters
order by source
