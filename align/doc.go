// Package align teaches a trained language model to follow instructions, as InstructGPT
// was taught (Ouyang et al. 2022): supervised fine-tuning on demonstrations (sft.go), a
// reward model from comparisons (reward.go), and PPO against that (policy.go); and on the
// same data what came after: DPO and its kin (preference.go), GRPO (policy.go) and best
// of n (bestof.go).
//
// Each of them is a train.Objective: the loop, optimiser, checkpoints and resuming are
// package train's, the formulas package loss'. A roll-out is drawn from the weights as
// they are before an update (rollout.go).
//
// What answers are worth is a Judge's business: a reward model, a command, or whatever
// else the caller has. The built-in world's gold is never imported here.
package align
