//! From words to a condition.
use super::{
    Attribute, Comparison, Condition, Literal, Neighbours, Operand, PropertyKind,
    words::{Word, words},
};
use domain::{Error, Result, metadata::NodeKind};

/// The longest filter, in bytes, the deepest, and the most variables of neighbours.
const LONGEST: usize = 16 << 10;
const DEEPEST: usize = 64;
const MOST_VARIABLES: usize = 4;

/// What filters call what they can ask for, and of which kinds of nodes.
const ATTRIBUTES: [(&str, Attribute, &[NodeKind]); 10] = {
    use NodeKind::{Artifact, Context, Execution};
    const ALL: &[NodeKind] = &[Artifact, Execution, Context];
    [
        ("id", Attribute::Id, ALL),
        ("type_id", Attribute::TypeId, ALL),
        ("type", Attribute::Type, ALL),
        ("name", Attribute::Name, ALL),
        ("external_id", Attribute::ExternalId, ALL),
        ("create_time_since_epoch", Attribute::Created, ALL),
        ("last_update_time_since_epoch", Attribute::Updated, ALL),
        ("uri", Attribute::Uri, &[Artifact]),
        ("state", Attribute::State, &[Artifact]),
        ("last_known_state", Attribute::State, &[Execution]),
    ]
};

const OF_EVENTS: [(&str, Attribute); 4] = [
    ("artifact_id", Attribute::ArtifactId),
    ("execution_id", Attribute::ExecutionId),
    ("type", Attribute::EventType),
    ("milliseconds_since_epoch", Attribute::EventTime),
];

/// How names of variables begin, and which nodes have such neighbours.
const VARIABLES: [(&str, Neighbours, &[NodeKind]); 4] = [
    ("contexts_", Neighbours::Contexts, &[NodeKind::Artifact, NodeKind::Execution]),
    ("events_", Neighbours::Events, &[NodeKind::Artifact, NodeKind::Execution]),
    ("parent_contexts_", Neighbours::Parents, &[NodeKind::Context]),
    ("child_contexts_", Neighbours::Children, &[NodeKind::Context]),
];

struct Parser {
    words: Vec<(usize, Word)>,
    next: usize,
    end: usize,
    kind: NodeKind,
    variables: Vec<(String, Neighbours)>,
}

/// The condition that a text is, with its variables.
pub(super) fn parse(text: &str, kind: NodeKind) -> Result<(Condition, Vec<(String, Neighbours)>)> {
    if text.len() > LONGEST {
        return Err(Error::invalid(format!("it is longer than {LONGEST} bytes")));
    }
    let mut parser = Parser { words: words(text)?, next: 0, end: text.len(), kind, variables: Vec::new() };
    let condition = parser.any(0)?;
    match parser.words.get(parser.next) {
        None => Ok((condition, parser.variables)),
        Some(_) => Err(parser.unexpected("AND, OR or the end")),
    }
}

impl Parser {
    fn any(&mut self, depth: usize) -> Result<Condition> {
        let mut all = vec![self.all(depth)?];
        while self.takes("OR") {
            all.push(self.all(depth)?);
        }
        Ok(if all.len() == 1 { all.remove(0) } else { Condition::Or(all) })
    }

    fn all(&mut self, depth: usize) -> Result<Condition> {
        let mut all = vec![self.one(depth)?];
        while self.takes("AND") {
            all.push(self.one(depth)?);
        }
        Ok(if all.len() == 1 { all.remove(0) } else { Condition::And(all) })
    }

    fn one(&mut self, depth: usize) -> Result<Condition> {
        if depth > DEEPEST {
            return Err(Error::invalid(format!("it nests deeper than {DEEPEST} levels")));
        }
        if self.takes("NOT") {
            return Ok(Condition::Not(Box::new(self.one(depth + 1)?)));
        }
        if self.takes_sign("(") {
            let inner = self.any(depth + 1)?;
            self.wants(")")?;
            return Ok(inner);
        }
        let operand = self.operand()?;
        let negated = self.takes("NOT");
        let condition = if self.takes("IN") {
            Condition::In(operand, self.list()?)
        } else if self.takes("LIKE") {
            match self.take() {
                Some(Word::Text(pattern)) => Condition::Like(operand, pattern),
                _ => return Err(self.back().unexpected("a text")),
            }
        } else if self.takes("BETWEEN") {
            let least = self.operand()?;
            if !self.takes("AND") {
                return Err(self.unexpected("AND"));
            }
            let most = self.operand()?;
            Condition::And(vec![
                Condition::Compare(operand.clone(), Comparison::AtLeast, least),
                Condition::Compare(operand, Comparison::AtMost, most),
            ])
        } else if negated {
            return Err(self.unexpected("IN, LIKE or BETWEEN"));
        } else if self.takes("IS") {
            let is_not = self.takes("NOT");
            if !self.takes("NULL") {
                return Err(self.unexpected("NULL"));
            }
            let condition = Condition::IsNull(operand);
            return Ok(if is_not { Condition::Not(Box::new(condition)) } else { condition });
        } else {
            let comparison = match self.take() {
                Some(Word::Sign("=")) => Comparison::Equal,
                Some(Word::Sign("!=" | "<>")) => Comparison::Unequal,
                Some(Word::Sign("<")) => Comparison::Less,
                Some(Word::Sign("<=")) => Comparison::AtMost,
                Some(Word::Sign(">")) => Comparison::Greater,
                Some(Word::Sign(">=")) => Comparison::AtLeast,
                _ => return Err(self.back().unexpected("a comparison")),
            };
            Condition::Compare(operand, comparison, self.operand()?)
        };
        Ok(if negated { Condition::Not(Box::new(condition)) } else { condition })
    }

    fn list(&mut self) -> Result<Vec<Literal>> {
        self.wants("(")?;
        let mut list = Vec::new();
        loop {
            match self.operand()? {
                Operand::Literal(literal) => list.push(literal),
                _ => return Err(self.back().unexpected("a value")),
            }
            if self.takes_sign(")") {
                return Ok(list);
            }
            self.wants(",")?;
        }
    }

    fn operand(&mut self) -> Result<Operand> {
        let name = match self.take() {
            Some(Word::Text(text)) => return Ok(Operand::Literal(Literal::Text(text))),
            Some(Word::Int(number)) => return Ok(Operand::Literal(Literal::Int(number))),
            Some(Word::Double(number)) => return Ok(Operand::Literal(Literal::Double(number))),
            Some(Word::Name(name)) => name,
            _ => return Err(self.back().unexpected("an attribute or a value")),
        };
        for (word, value) in [("TRUE", true), ("FALSE", false)] {
            if name.eq_ignore_ascii_case(word) {
                return Ok(Operand::Literal(Literal::Bool(value)));
            }
        }
        if self.takes_sign(".") {
            return self.member(name);
        }
        let known = ATTRIBUTES.iter().find(|(known, _, of)| *known == name && of.contains(&self.kind));
        if let Some((_, attribute, _)) = known {
            return Ok(Operand::Attribute(*attribute));
        }
        // What states and events are called.
        if name.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'_') {
            return Ok(Operand::Literal(Literal::Text(name)));
        }
        Err(self.unknown(&name))
    }

    /// What follows a name and a point.
    fn member(&mut self, of: String) -> Result<Operand> {
        let name = self.name()?;
        if of == "properties" || of == "custom_properties" {
            self.wants(".")?;
            let kind = match self.name()?.as_str() {
                "int_value" => PropertyKind::Int,
                "double_value" => PropertyKind::Double,
                "string_value" => PropertyKind::Text,
                "bool_value" => PropertyKind::Bool,
                _ => {
                    return Err(self.back().unexpected("int_value, double_value, string_value or bool_value"));
                }
            };
            return Ok(Operand::Property { custom: of == "custom_properties", name, kind });
        }
        let known = VARIABLES.iter().find(|(begin, _, with)| of.starts_with(begin) && with.contains(&self.kind));
        let Some((_, neighbours, _)) = known else { return Err(self.unknown(&of)) };
        let attribute = match neighbours {
            Neighbours::Events => OF_EVENTS.iter().find(|(known, _)| *known == name).map(|(_, of)| *of),
            _ => ATTRIBUTES
                .iter()
                .find(|(known, _, with)| *known == name && with.contains(&NodeKind::Context))
                .map(|(_, of, _)| *of),
        };
        let attribute = attribute.ok_or_else(|| self.unknown(&format!("{of}.{name}")))?;
        let at = match self.variables.iter().position(|(known, _)| *known == of) {
            Some(at) => at,
            None if self.variables.len() == MOST_VARIABLES => {
                return Err(Error::invalid(format!("it has more than {MOST_VARIABLES} variables of neighbours")));
            }
            None => {
                self.variables.push((of, *neighbours));
                self.variables.len() - 1
            }
        };
        Ok(Operand::OfNeighbour(at, attribute))
    }

    fn name(&mut self) -> Result<String> {
        match self.take() {
            Some(Word::Name(name) | Word::Quoted(name)) => Ok(name),
            _ => Err(self.back().unexpected("a name")),
        }
    }

    fn take(&mut self) -> Option<Word> {
        let word = self.words.get(self.next).map(|(_, word)| word.clone());
        self.next += 1;
        word
    }

    fn back(&mut self) -> &Self {
        self.next -= 1;
        self
    }

    fn takes(&mut self, keyword: &str) -> bool {
        let is_it =
            matches!(self.words.get(self.next), Some((_, Word::Name(name))) if name.eq_ignore_ascii_case(keyword));
        self.next += usize::from(is_it);
        is_it
    }

    fn takes_sign(&mut self, sign: &str) -> bool {
        let is_it = matches!(self.words.get(self.next), Some((_, Word::Sign(found))) if *found == sign);
        self.next += usize::from(is_it);
        is_it
    }

    fn wants(&mut self, sign: &str) -> Result<()> {
        if self.takes_sign(sign) { Ok(()) } else { Err(self.unexpected(&format!("{sign:?}"))) }
    }

    fn unexpected(&self, wanted: &str) -> Error {
        let at = self.words.get(self.next).map_or(self.end, |(at, _)| *at);
        Error::invalid(format!("{wanted} is expected at {at}"))
    }

    fn unknown(&self, name: &str) -> Error {
        let kind = self.kind.as_str().to_lowercase();
        let article = if self.kind == NodeKind::Context { "a" } else { "an" };
        Error::invalid(format!("there is nothing called {:?} to ask for of {article} {kind}", domain::clipped(name)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn wrong(text: &str, kind: NodeKind, expect: &str) {
        assert_eq!(parse(text, kind).unwrap_err().message(), expect, "{text}");
    }

    #[test]
    fn what_binds_closer() {
        let id = |number| {
            let literal = Operand::Literal(Literal::Int(number));
            Condition::Compare(Operand::Attribute(Attribute::Id), Comparison::Equal, literal)
        };
        let (found, _) = parse("id = 1 or not id = 2 and (id = 3 OR id = 4)", NodeKind::Artifact).unwrap();
        let either = Condition::Or(vec![id(3), id(4)]);
        let both = Condition::And(vec![Condition::Not(Box::new(id(2))), either]);
        assert_eq!(found, Condition::Or(vec![id(1), both]));
    }

    #[test]
    fn variables_are_numbered() {
        let text = "contexts_a.name = 'x' AND events_0.type = INPUT AND contexts_a.id = 1";
        let (_, variables) = parse(text, NodeKind::Execution).unwrap();
        assert_eq!(variables, [("contexts_a".into(), Neighbours::Contexts), ("events_0".into(), Neighbours::Events)]);
    }

    #[test]
    fn mistakes() {
        use NodeKind::{Artifact, Context, Execution};
        wrong("", Artifact, "an attribute or a value is expected at 0");
        wrong("id", Artifact, "a comparison is expected at 2");
        wrong("id = ", Artifact, "an attribute or a value is expected at 5");
        wrong("id = 1 id", Artifact, "AND, OR or the end is expected at 7");
        wrong("(id = 1", Artifact, "\")\" is expected at 7");
        wrong("id NOT = 1", Artifact, "IN, LIKE or BETWEEN is expected at 7");
        wrong("name LIKE 1", Artifact, "a text is expected at 10");
        wrong("id IN (id)", Artifact, "a value is expected at 7");
        wrong("uri = 'x'", Execution, "there is nothing called \"uri\" to ask for of an execution");
        wrong("contexts_a.name = 'x'", Context, "there is nothing called \"contexts_a\" to ask for of a context");
        wrong("events_a.name = 'x'", Artifact, "there is nothing called \"events_a.name\" to ask for of an artifact");
        wrong("properties.a = 1", Artifact, "\".\" is expected at 13");
        wrong(
            "properties.a.value = 1",
            Artifact,
            "int_value, double_value, string_value or bool_value is expected at 13",
        );
        let deep = format!("{}id = 1{}", "(".repeat(100), ")".repeat(100));
        wrong(&deep, Artifact, "it nests deeper than 64 levels");
        let many =
            "contexts_a.id = 1 AND contexts_b.id = 1 AND contexts_c.id = 1 AND contexts_d.id = 1 AND contexts_e.id = 1";
        wrong(many, Artifact, "it has more than 4 variables of neighbours");
    }
}
