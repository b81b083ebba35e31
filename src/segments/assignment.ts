/**
 * Returns the assignment of rows to columns with the least total cost: the Hungarian method with potentials (Kuhn 1955,
 * Munkres 1957), O(rows² · columns).
 * @param costs one row per worker; all rows have the same length
 * @returns the column of each row; undefined for rows beyond the number of columns
 */
export function assign(costs: readonly (readonly number[])[]): readonly (number | undefined)[] {
  const rows = costs.length;
  const columns = costs[0]?.length ?? 0;
  if (rows > columns) return transposed(costs, columns);
  // Row and column 0 are a start that no pair has.
  const rowPotential = zeros(rows + 1);
  const columnPotential = zeros(columns + 1);
  const rowOf = zeros(columns + 1);
  const before = zeros(columns + 1);
  for (let row = 1; row <= rows; row += 1) {
    rowOf[0] = row;
    let column = 0;
    const least: number[] = Array.from({ length: columns + 1 }, () => Number.POSITIVE_INFINITY);
    const used: boolean[] = Array.from({ length: columns + 1 }, () => false);
    do {
      used[column] = true;
      const current = at(rowOf, column);
      let step = Number.POSITIVE_INFINITY;
      let next = 0;
      for (let other = 1; other <= columns; other += 1) {
        if (used[other] === true) continue;
        const cost = (costs[current - 1]?.[other - 1] ?? 0) - at(rowPotential, current) - at(columnPotential, other);
        if (cost < at(least, other)) {
          least[other] = cost;
          before[other] = column;
        }
        if (at(least, other) < step) {
          step = at(least, other);
          next = other;
        }
      }
      for (let other = 0; other <= columns; other += 1) {
        if (used[other] === true) {
          const owner = at(rowOf, other);
          rowPotential[owner] = at(rowPotential, owner) + step;
          columnPotential[other] = at(columnPotential, other) - step;
        } else least[other] = at(least, other) - step;
      }
      column = next;
    } while (at(rowOf, column) !== 0);
    while (column !== 0) {
      const previous = at(before, column);
      rowOf[column] = at(rowOf, previous);
      column = previous;
    }
  }
  const found: (number | undefined)[] = Array.from({ length: rows }, () => undefined);
  for (let column = 1; column <= columns; column += 1) {
    const row = at(rowOf, column);
    if (row > 0) found[row - 1] = column - 1;
  }
  return found;
}

function transposed(costs: readonly (readonly number[])[], columns: number): readonly (number | undefined)[] {
  const found: (number | undefined)[] = Array.from({ length: costs.length }, () => undefined);
  const turned = Array.from({ length: columns }, (_, column) => costs.map((row) => row[column] ?? 0));
  for (const [column, row] of assign(turned).entries()) if (row !== undefined) found[row] = column;
  return found;
}

function zeros(length: number): number[] {
  return Array.from({ length }, () => 0);
}

function at(values: readonly number[], place: number): number {
  return values[place] ?? 0;
}
