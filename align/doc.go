// Package align teaches a trained language model to follow instructions, as InstructGPT
// was taught (Ouyang et al. 2022): supervised fine-tuning on demonstrations (sft.go), a
// reward model from comparisons (reward.go), and PPO with its scores as rewards (policy.go).
// On the same data it has what came after: DPO and its variants (preference.go) and GRPO
// (policy.go).
//
// Each of them is a train.Objective: package train has the loop, optimiser, checkpoints and
// resuming, package loss the formulas. A roll-out is drawn from the weights as they are before
// an update (rollout.go).
//
// A Judge says how good an answer is: a reward model, a command, or whatever else the caller
// has. This package never imports the gold score of the built-in world.
package align
