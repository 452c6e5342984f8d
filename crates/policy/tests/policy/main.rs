//! What the policy language promises, through its public door.

#[cfg(test)]
mod allocations;
#[cfg(test)]
mod decisions;
#[cfg(test)]
mod explanations;
#[cfg(test)]
mod properties;
#[cfg(test)]
mod rejections;
#[cfg(test)]
mod support;
#[cfg(test)]
mod vectors;
