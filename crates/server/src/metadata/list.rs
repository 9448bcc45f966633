//! Lists: in which order, from where on, and how many. What a filter says is decided node by node, after the database has
//! been asked for as few as what it says allows.
use super::filter::{Filter, Surroundings};
use access::Reach;
use api::{
    access::{resource::Runs, verb::Get},
    ml_metadata::{ListOperationOptions, list_operation_options::order_by_field::Field},
};
use domain::{Error, Result, metadata::Node};
use store::{Listing, NodeOrder, Nodes, Store};

/// The most nodes of a page (ML metadata has 100 too).
const MAX_PAGE: usize = 100;
/// The most of a list for which no page was asked.
pub(super) const MAX_UNPAGED: usize = 10_000;
/// How many nodes are looked at together where a filter decides, and how many for one page.
const CHUNK: usize = 500;
const MAX_LOOKED_AT: usize = 20_000;

/// What a list was asked for.
pub(super) struct Asked {
    /// What the page token is bound to.
    list: String,
    listing: Listing,
    filter: Option<Filter>,
}

impl Asked {
    pub(super) fn read(
        store: &Store,
        list: &str,
        which: &Nodes,
        options: Option<ListOperationOptions>,
    ) -> Result<Self> {
        let Some(options) = options else {
            let list = bound(list, which, NodeOrder::Id, false, "");
            return Ok(Self { list, listing: Listing::of_ids(MAX_UNPAGED), filter: None });
        };
        let size = usize::try_from(options.max_result_size()).unwrap_or_default();
        if size == 0 {
            return Err(Error::invalid(format!(
                "max_result_size is {}, and has to be 1 or more",
                options.max_result_size()
            )));
        }
        let by = options.order_by_field.unwrap_or_default();
        let order = match by.field() {
            Field::Unspecified | Field::Id => NodeOrder::Id,
            Field::CreateTime => NodeOrder::Created,
            Field::LastUpdateTime => NodeOrder::Updated,
        };
        let (descending, text) = (!by.is_asc(), options.filter_query());
        let filter = if text.trim().is_empty() { None } else { Some(Filter::parse(text, which.kind)?) };
        let list = bound(list, which, order, descending, text);
        let after = match options.next_page_token() {
            "" => None,
            token => Some(store.read_node_token(&list, token)?),
        };
        let listing = Listing { order, descending, after, most: size.min(MAX_PAGE) };
        Ok(Self { list, listing, filter })
    }
}

fn bound(list: &str, which: &Nodes, order: NodeOrder, descending: bool, filter: &str) -> String {
    format!("{} {list} {:?} {order:?} {descending} {filter}", which.kind.as_str(), which.context)
}

/// One page, and the token of the next if there may be one.
pub(super) async fn page(
    store: &Store,
    reach: &Reach<Get, Runs>,
    which: Nodes,
    asked: Asked,
) -> Result<(Vec<Node>, Option<String>)> {
    let Asked { list, listing, filter } = asked;
    let (nodes, last) = match filter {
        None => {
            let mut nodes = store.nodes(reach, which, Listing { most: listing.most + 1, ..listing }).await?;
            let is_all = nodes.len() <= listing.most;
            nodes.truncate(listing.most);
            let last = nodes.last().filter(|_| !is_all).map(|node| listing.key(node));
            (nodes, last)
        }
        Some(filter) => filtered(store, reach, which, listing, &filter).await?,
    };
    Ok((nodes, last.map(|after| store.node_token(&list, after))))
}

/// Those that a filter lets through, as many as are wanted, and where to go on: a page can be short, or empty, before the
/// list has ended.
async fn filtered(
    store: &Store,
    reach: &Reach<Get, Runs>,
    which: Nodes,
    listing: Listing,
    filter: &Filter,
) -> Result<(Vec<Node>, Option<(i64, i64)>)> {
    let Some(which) = filter.narrow(store, reach, which).await? else { return Ok((Vec::new(), None)) };
    let (mut found, mut looked_at, mut after) = (Vec::new(), 0, listing.after);
    loop {
        let chunk = store.nodes(reach, which.clone(), Listing { most: CHUNK, after, ..listing }).await?;
        let is_last = chunk.len() < CHUNK;
        looked_at += chunk.len();
        let around = Surroundings::of(store, reach, filter, &chunk).await?;
        for node in chunk {
            let place = listing.key(&node);
            if !filter.passes(&node, &around)? {
                after = Some(place);
                continue;
            }
            // One more than a page: there is something for the next one.
            if found.len() == listing.most {
                return Ok((found, after));
            }
            after = Some(place);
            found.push(node);
        }
        if is_last {
            return Ok((found, None));
        }
        if looked_at >= MAX_LOOKED_AT {
            return Ok((found, after));
        }
    }
}

/// All that a filter lets through, the first so many.
pub(super) async fn all(
    store: &Store,
    reach: &Reach<Get, Runs>,
    which: Nodes,
    text: &str,
    most: usize,
) -> Result<Vec<Node>> {
    let listing = Listing::of_ids(most);
    if text.trim().is_empty() {
        return store.nodes(reach, which, listing).await;
    }
    let filter = Filter::parse(text, which.kind)?;
    Ok(filtered(store, reach, which, listing, &filter).await?.0)
}
